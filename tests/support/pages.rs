//! What must be so with every page and every picture.

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{Token, Tokenizer};

/// The most bytes of a page.
const LIMIT: usize = 1_500_000;
/// Elements that have no end.
const VOID: [&[u8]; 3] = [b"br", b"input", b"meta"];

/// Checks that every element ends where it should, and that the parser has nothing to complain about; the texts of the
/// page, one after another.
pub(crate) fn texts(page: &str) -> Vec<String> {
    let (mut open, mut texts) = (Vec::new(), Vec::new());
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    for token in Tokenizer::new_with_emitter(page, emitter) {
        match token.unwrap() {
            Token::StartTag(tag) if !tag.self_closing && !VOID.contains(&&**tag.name) => open.push(tag.name.to_vec()),
            Token::EndTag(tag) => assert_eq!(open.pop(), Some(tag.name.to_vec())),
            Token::String(text) => texts.push(String::from_utf8(text.value.0).unwrap()),
            Token::Error(error) => panic!("{error:?}"),
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?}");
    texts
}

/// Checks that a page is whole, small, and asks for nothing; its texts.
pub(crate) fn check_page(page: &str) -> Vec<String> {
    let local = page.replace("url(#", "");
    for asks in ["http:", "https:", "//", "src=", "url(", "@import", "<link", "<iframe", "javascript:"] {
        let found = local.lines().find(|line| line.contains(asks) && !line.trim_start().starts_with("// "));
        assert!(found.is_none(), "{asks} in {found:?}");
    }
    assert!(page.len() < LIMIT, "{} bytes", page.len());
    assert_eq!(page.matches("<script").count(), 1, "ours");
    assert!(page.contains("default-src 'none'"), "the browser is told so too");
    texts(page)
}

/// Checks that a picture is whole XML, says in words what it shows, and asks for nothing.
pub(crate) fn check_picture(name: &str, text: &str) {
    let document = roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "svg");
    let has = |tag: &str| {
        let is_it = |child: &roxmltree::Node<'_, '_>| child.tag_name().name() == tag;
        root.children().filter(is_it).any(|child| child.text().is_some_and(|text| text.len() > 10))
    };
    assert!(has("title") && has("desc"), "{name}");
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        assert!(!["script", "foreignObject", "image", "a"].contains(&node.tag_name().name()), "{name}");
        let link = node.attribute("href");
        let is_here = |link: &str| link.starts_with('#') && text.contains(&format!("id=\"{}\"", &link[1..]));
        assert!(link.is_none_or(is_here), "{name}: {link:?}");
    }
    for asks in ["url(", "@import", "javascript:"] {
        assert!(!text.replace("url(#", "").contains(asks), "{name}: {asks}");
    }
}
