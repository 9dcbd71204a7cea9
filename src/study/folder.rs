//! The folder that holds the results of a study.
//!
//! While a study runs, each finished run is a line of the log (`runs.log`), written in one piece; a line that was torn by a
//! crash is known by its end, and taken out. When all points that were asked for are there, the files of the contract are
//! made of it, each under another name until it is whole, and the log goes. So what is finished is never lost, and nobody
//! ever reads half of a file. One process at a time has the folder: it holds a lock that ends with it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::error::{FolderError, io_error};
use super::figures::FIGURES;
use super::line::Line;
use super::manifest::{Manifest, Rule};
use super::pending::Pending;
use crate::scenario::escaped;
use crate::stats::HistogramSum;

/// What is kept of one run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Its line of `runs.ndjson`, without the line feed.
    pub line: String,
    /// The delays of each flow, as a histogram in the form V2.
    pub histograms: Vec<(String, Vec<u8>)>,
}

/// An open folder.
pub struct Folder {
    path: PathBuf,
    manifest: Manifest,
    /// The manifest as it is written.
    text: String,
    /// What is there of each point.
    held: Vec<Held>,
    log: Option<File>,
    /// Bytes of the log.
    logged: u64,
    /// Ends with the process.
    _lock: Option<File>,
}

/// What a folder has of a point.
#[derive(Clone, Default)]
struct Held {
    /// Where its lines are in `runs.ndjson`, if they are: all of them, one after the other.
    finished: Option<Lines>,
    /// Where in the log the line of each replication begins.
    logged: BTreeMap<u32, u64>,
}

/// Lines of a file.
#[derive(Clone, Copy)]
struct Lines {
    start: u64,
    bytes: u64,
    number: u32,
}

/// How a line says which run it is.
#[derive(Deserialize)]
struct Key {
    point: String,
    replication: u32,
}

impl Folder {
    /// Opens the folder of a study to add to it, and makes it if it is not there. `text` is the manifest as it is written.
    ///
    /// # Errors
    ///
    /// If it cannot be written, another process has it, or it holds results of something else.
    pub fn open(path: &Path, manifest: &Manifest, text: &str) -> Result<Self, FolderError> {
        check_free(path)?;
        fs::create_dir_all(path).map_err(io_error("make", path))?;
        let lock_path = path.join(LOCK);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(io_error("write", &lock_path))?;
        acquire(path, lock.try_lock())?;
        sweep(path)?;
        match read_manifest(path)? {
            Some((there, _)) => check_same(path, &there, manifest)?,
            None => {
                let mut file = Pending::create(&path.join(MANIFEST))?;
                file.write(text.as_bytes())?;
                file.finish()?;
            }
        }
        let mut folder = Self::read_runs(path, manifest.clone(), text.to_owned(), Some(lock))?;
        let log_path = path.join(LOG);
        if folder.logged > 0 || log_path.exists() {
            folder.log = Some(folder.open_log()?);
        }
        Ok(folder)
    }

    /// Opens a folder to read it.
    ///
    /// # Errors
    ///
    /// If it cannot be read, another process writes to it, or it is no folder of a study.
    pub fn read(path: &Path) -> Result<Self, FolderError> {
        let why = if path.is_dir() { "it has no manifest.json" } else { "there is no such folder" };
        let what = format!("holds no study: {why}");
        let found = if path.is_dir() { read_manifest(path)? } else { None };
        let (manifest, text) = found.ok_or_else(|| FolderError::Foreign { path: path.to_owned(), what })?;
        let lock = File::open(path.join(LOCK)).ok();
        if let Some(lock) = &lock {
            acquire(path, lock.try_lock_shared())?;
        }
        Self::read_runs(path, manifest, text, lock)
    }

    fn read_runs(path: &Path, manifest: Manifest, text: String, lock: Option<File>) -> Result<Self, FolderError> {
        let held = vec![Held::default(); manifest.points.len()];
        let mut folder = Folder { path: path.to_owned(), manifest, text, held, log: None, logged: 0, _lock: lock };
        let ids: BTreeMap<String, usize> =
            folder.manifest.points.iter().enumerate().map(|(point, entry)| (entry.id.clone(), point)).collect();
        folder.each_line_of(RUNS, |held, start, line| {
            let key = key(line)?;
            let held = &mut held[*ids.get(&key.point)?];
            let lines = held.finished.get_or_insert(Lines { start, bytes: 0, number: 0 });
            if start != lines.start + lines.bytes || key.replication != lines.number {
                return None;
            }
            lines.bytes += line.len() as u64 + 1;
            lines.number += 1;
            Some(())
        })?;
        folder.logged = folder.each_line_of(LOG, |held, start, line| {
            let key = key(line)?;
            held[*ids.get(&key.point)?].logged.entry(key.replication).or_insert(start);
            Some(())
        })?;
        Ok(folder)
    }

    /// Reads the lines of a file, if it is there; how many bytes they have. What is behind the last line feed is the rest of
    /// a line that was torn.
    fn each_line_of(
        &mut self,
        name: &str,
        mut line: impl FnMut(&mut [Held], u64, &[u8]) -> Option<()>,
    ) -> Result<u64, FolderError> {
        let path = self.path.join(name);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            opened => opened.map_err(io_error("read", &path))?,
        };
        let mut reader = BufReader::new(file);
        let (mut start, mut bytes) = (0, Vec::new());
        for number in 1.. {
            bytes.clear();
            reader.read_until(b'\n', &mut bytes).map_err(io_error("read", &path))?;
            let is_torn = !bytes.is_empty() && bytes.last() != Some(&b'\n');
            if is_torn && name == RUNS {
                return Err(FolderError::Damaged { path, line: number }); // only a log is written line by line
            }
            if bytes.pop() != Some(b'\n') {
                break;
            }
            let damaged = || FolderError::Damaged { path: path.clone(), line: number };
            line(&mut self.held, start, &bytes).ok_or_else(damaged)?;
            start += bytes.len() as u64 + 1;
        }
        Ok(start)
    }

    /// Opens the log behind its last whole line.
    fn open_log(&self) -> Result<File, FolderError> {
        let path = self.path.join(LOG);
        let log = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        let mut log = log.map_err(io_error("write", &path))?;
        let torn = log.set_len(self.logged).and_then(|()| log.seek(SeekFrom::Start(self.logged)));
        torn.map_err(io_error("write", &path))?;
        Ok(log)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What its results are about.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The manifest as it is written.
    #[must_use]
    pub fn manifest_text(&self) -> &str {
        &self.text
    }

    /// Whether it has a run.
    #[must_use]
    pub fn has(&self, point: usize, replication: u32) -> bool {
        let held = &self.held[point];
        held.finished.is_some_and(|lines| replication < lines.number) || held.logged.contains_key(&replication)
    }

    /// Whether it has some run of a point.
    #[must_use]
    pub fn has_some(&self, point: usize) -> bool {
        self.held[point].finished.is_some() || !self.held[point].logged.is_empty()
    }

    /// Whether runs were ever stored here. Files that hold none are here too, unless somebody took them away or nothing was begun.
    #[must_use]
    pub fn has_runs(&self) -> bool {
        self.path.join(RUNS).exists() || self.path.join(LOG).exists()
    }

    /// Whether the files of the contract hold all that there is.
    #[must_use]
    pub fn is_published(&self) -> bool {
        self.log.is_none() && self.held.iter().all(|held| held.logged.is_empty()) && self.path.join(RUNS).exists()
    }

    /// How many replications a point has, if it has enough.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn complete(&self, point: usize) -> Result<Option<u32>, FolderError> {
        let rule = &self.manifest.replications;
        if let Some(lines) = self.held[point].finished {
            let mut samples = Vec::new();
            if !matches!(rule, Rule::Fixed(_)) {
                self.lines(point, 0..lines.number, |line| samples.push(rule.sample(line)))?;
            }
            return if rule.ends_at(lines.number, &samples) {
                Ok(Some(lines.number))
            } else {
                Err(self.cut_off(point))
            };
        }
        let mut look = rule.first_look();
        let mut samples = Vec::new();
        loop {
            if !(samples.len() as u32..look).all(|replication| self.has(point, replication)) {
                return Ok(None);
            }
            if matches!(rule, Rule::Fixed(_)) {
                return Ok(Some(look));
            }
            let missing = samples.len() as u32..look;
            self.lines(point, missing, |line| samples.push(rule.sample(line)))?;
            match rule.next_look(&samples) {
                Some(next) => look = next,
                None => return Ok(Some(look)),
            }
        }
    }

    /// Somebody has taken lines away from `runs.ndjson`.
    fn cut_off(&self, point: usize) -> FolderError {
        let id = &self.manifest.points[point].id;
        let what = format!("has a {RUNS} without all runs of {id}: copy it anew, or delete it to run them again");
        FolderError::Foreign { path: self.path.clone(), what }
    }

    /// Reads lines of a point that are there.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn lines(
        &self,
        point: usize,
        replications: std::ops::Range<u32>,
        mut each: impl FnMut(&str),
    ) -> Result<(), FolderError> {
        if let Some(lines) = self.held[point].finished {
            let path = self.path.join(RUNS);
            let mut file = File::open(&path).map_err(io_error("read", &path))?;
            file.seek(SeekFrom::Start(lines.start)).map_err(io_error("read", &path))?;
            for (number, line) in (0..).zip(BufReader::new(file.take(lines.bytes)).lines()) {
                let line = line.map_err(io_error("read", &path))?;
                if replications.contains(&number) {
                    each(&line);
                }
            }
            return Ok(());
        }
        self.logged(point, replications, |line, _| each(line))
    }

    /// Reads what the log has of a point: of each run the line, and its histograms.
    fn logged(
        &self,
        point: usize,
        replications: std::ops::Range<u32>,
        mut each: impl FnMut(&str, &str),
    ) -> Result<(), FolderError> {
        let places = self.held[point].logged.range(replications);
        if places.clone().next().is_none() {
            return Ok(());
        }
        let path = self.path.join(LOG);
        let mut file = BufReader::new(File::open(&path).map_err(io_error("read", &path))?);
        let mut text = String::new();
        for (_, start) in places {
            text.clear();
            let read = file.seek(SeekFrom::Start(*start)).and_then(|_| file.read_line(&mut text));
            read.map_err(io_error("read", &path))?;
            let (line, histograms) = text.trim_end().split_once(SEPARATOR).unwrap_or((&text, "{}"));
            each(line, histograms);
        }
        Ok(())
    }

    /// The delays of a point, over its first replications, by flow.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn histograms(&self, point: usize, replications: u32) -> Result<BTreeMap<String, HistogramSum>, FolderError> {
        let mut sums: BTreeMap<String, HistogramSum> = BTreeMap::new();
        let mut add = |flow: &str, text: &str| {
            let bytes = BASE64.decode(text.trim_end()).ok();
            bytes.is_some_and(|bytes| sums.entry(flow.to_owned()).or_default().add(&bytes))
        };
        let path = if self.held[point].finished.is_some() {
            let folder = self.path.join(HISTOGRAMS).join(file_name(&self.manifest.points[point].id));
            let mut flows = Vec::new();
            self.lines(point, 0..1, |line| {
                flows.extend(Line::parse(line).iter().flat_map(Line::flows).map(str::to_owned))
            })?;
            for flow in flows {
                let path = folder.join(file_name(&flow) + HISTOGRAM);
                let text = fs::read_to_string(&path).map_err(io_error("read", &path))?;
                if !add(&flow, &text) {
                    return Err(FolderError::Damaged { path, line: 1 });
                }
            }
            return Ok(sums);
        } else {
            self.path.join(LOG)
        };
        let mut is_sound = true;
        self.logged(point, 0..replications, |_, text| {
            let histograms: BTreeMap<String, String> = serde_json::from_str(text).unwrap_or_default();
            is_sound &= histograms.iter().all(|(flow, text)| add(flow, text));
        })?;
        if is_sound { Ok(sums) } else { Err(FolderError::Damaged { path, line: 1 }) }
    }

    /// Adds a run.
    ///
    /// # Errors
    ///
    /// If it cannot be written; then the folder has it not, nor any part of it.
    pub(super) fn append(&mut self, point: usize, replication: u32, record: &Record) -> Result<(), FolderError> {
        let histograms: BTreeMap<&str, String> =
            record.histograms.iter().map(|(flow, v2)| (flow.as_str(), BASE64.encode(v2))).collect();
        let histograms = serde_json::to_string(&histograms).expect("texts have a JSON form");
        let line = format!("{}{SEPARATOR}{histograms}\n", record.line);
        if self.log.is_none() {
            self.log = Some(self.open_log()?);
        }
        let log = self.log.as_mut().expect("it was just opened");
        if let Err(error) = log.write_all(line.as_bytes()) {
            self.log = None; // opening it again takes out what was written of the line
            return Err(io_error("write", &self.path.join(LOG))(error));
        }
        self.held[point].logged.insert(replication, self.logged);
        self.logged += line.len() as u64;
        Ok(())
    }

    /// Begins a file of the folder.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn create(&self, name: &str) -> Result<Pending, FolderError> {
        Pending::create(&self.path.join(name))
    }

    /// Writes the histograms of a point.
    ///
    /// # Errors
    ///
    /// If they cannot be written.
    pub fn write_histograms(&self, point: usize, sums: &BTreeMap<String, HistogramSum>) -> Result<(), FolderError> {
        if sums.is_empty() {
            return Ok(());
        }
        let folder = self.path.join(HISTOGRAMS).join(file_name(&self.manifest.points[point].id));
        fs::create_dir_all(&folder).map_err(io_error("make", &folder))?;
        for (flow, sum) in sums {
            let mut file = Pending::create(&folder.join(file_name(flow) + HISTOGRAM))?;
            file.write(format!("{}\n", BASE64.encode(sum.to_v2())).as_bytes())?;
            file.rename()?;
        }
        Ok(())
    }

    /// Takes the log away: `runs.ndjson` has all that is in it. Runs of points that have not enough of them stay.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read or written.
    pub fn settle(&mut self) -> Result<(), FolderError> {
        let lock = self._lock.take();
        let mut settled = Self::read_runs(&self.path, self.manifest.clone(), self.text.clone(), lock)?;
        let is_needed = settled.held.iter().any(|held| held.finished.is_none() && !held.logged.is_empty());
        let path = self.path.join(LOG);
        if !is_needed && path.exists() {
            fs::remove_file(&path).map_err(io_error("delete", &path))?;
            settled.held.iter_mut().for_each(|held| held.logged.clear());
            settled.logged = 0;
        } else if is_needed {
            settled.log = Some(settled.open_log()?);
        }
        *self = settled;
        Ok(())
    }
}

/// A name of a point, flow or picture as that of a file: short, and nothing in it means anything to a file system or a shell.
pub(super) fn file_name(id: &str) -> String {
    let name = escaped(id, |c| c.is_ascii_alphanumeric() || "._-=,".contains(c));
    if name.len() <= MAX_FILE_NAME {
        return name;
    }
    let digest: String = Sha256::digest(id).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{}~{digest}", &name[..MAX_FILE_NAME - 17])
}

fn key(line: &[u8]) -> Option<Key> {
    let line = line.split(|byte| *byte == SEPARATOR as u8).next()?;
    serde_json::from_slice(line).ok()
}

/// Takes away what a process that was killed has left half written.
fn sweep(folder: &Path) -> Result<(), FolderError> {
    for entry in fs::read_dir(folder).map_err(io_error("read", folder))? {
        let path = entry.map_err(io_error("read", folder))?.path();
        if path.extension().is_some_and(|extension| extension == Pending::EXTENSION) {
            fs::remove_file(&path).map_err(io_error("remove", &path))?;
        }
    }
    Ok(())
}

/// Refuses a folder with results of something else, before anything is made there.
fn check_free(path: &Path) -> Result<(), FolderError> {
    if path.is_file() {
        return Err(io_error("make", path)(io::Error::other("it is a file, not a folder")));
    }
    let foreign = |what: String| Err(FolderError::Foreign { path: path.to_owned(), what });
    let has = |name: &str| path.join(name).exists();
    match OWN.into_iter().find(|name| has(name)) {
        _ if has(MANIFEST) => Ok(()),
        _ if has("report.json") => foreign("holds the results of a run: take another folder".to_owned()),
        Some(name) => foreign(format!("has {name} of something else (there is no {MANIFEST}): take another folder")),
        None => Ok(()),
    }
}

fn read_manifest(folder: &Path) -> Result<Option<(Manifest, String)>, FolderError> {
    let path = folder.join(MANIFEST);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(io_error("read", &path))?,
    };
    let what = || "has a manifest.json that is not of a study of this version".to_owned();
    let manifest = serde_json::from_str(&text).ok().filter(|manifest: &Manifest| manifest.schema == Manifest::SCHEMA);
    let manifest = manifest.ok_or_else(|| FolderError::Foreign { path: folder.to_owned(), what: what() })?;
    Ok(Some((manifest, text)))
}

/// Whether the results of two folders may be mixed.
pub(super) fn check_same(path: &Path, there: &Manifest, here: &Manifest) -> Result<(), FolderError> {
    let what = if there.version != here.version {
        format!("holds results of version {}, not {}", there.version, here.version)
    } else if there.hash != here.hash {
        let [there, other] = [there, here]
            .map(|manifest| format!("{} {}", manifest.name, &manifest.hash[..12.min(manifest.hash.len())]));
        format!("holds results of another study: {there}, not {other}")
    } else {
        return Ok(());
    };
    Err(FolderError::Foreign { path: path.to_owned(), what })
}

fn acquire(path: &Path, locked: Result<(), TryLockError>) -> Result<(), FolderError> {
    match locked {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(FolderError::Busy(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(io_error("lock", path)(error)),
    }
}

/// Between the line of a run and its histograms, in the log: JSON has no such character.
const SEPARATOR: char = '\t';
/// The longest name of a file that a point gets.
const MAX_FILE_NAME: usize = 120;

const LOCK: &str = ".lock";
const MANIFEST: &str = "manifest.json";
const RUNS: &str = "runs.ndjson";
const LOG: &str = "runs.log";
const HISTOGRAMS: &str = "hist";
/// What a study makes in its folder, and would replace.
const OWN: [&str; 7] = [RUNS, LOG, HISTOGRAMS, FIGURES, "points.csv", "report.html", "timing.json"];
/// The end of the name of a histogram's file: text, HdrHistogram V2 compressed, in base 64.
const HISTOGRAM: &str = ".hdr";
