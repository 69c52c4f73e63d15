//! Group commit: a thread syncs what was written to files, and one sync serves all records that were
//! written until it began. The disk may take its time; the writers do not wait.

use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;

use crate::system::log::{Log, LogOnce};

/// The files of one directory that wait for a sync.
#[derive(Debug, Default)]
pub(super) struct Syncer(OnceLock<Option<Sender<Request>>>);

#[derive(Debug)]
pub(super) struct Request {
    /// A written file.
    pub(super) file: Arc<File>,
    /// The directory, if names in it have changed.
    pub(super) directory: Option<Arc<File>>,
}

impl Syncer {
    /// Requests a sync. Without a thread, it happens at once.
    pub(super) fn request(&self, request: Request, log: &Arc<Log>) -> io::Result<()> {
        let requests = self.0.get_or_init(|| {
            let ((sender, receiver), log) = (channel(), Arc::clone(log));
            let thread = thread::Builder::new().name("spool".to_owned());
            thread.spawn(move || work(&receiver, &log)).ok().map(|_| sender)
        });
        match requests {
            Some(requests) => requests.send(request).or_else(|unsent| sync(&[unsent.0])),
            None => sync(&[request]),
        }
    }
}

fn work(requests: &Receiver<Request>, log: &Log) {
    let mut trouble = LogOnce::default();
    while let Ok(first) = requests.recv() {
        let together: Vec<_> = [first].into_iter().chain(requests.try_iter()).collect();
        match sync(&together) {
            Ok(()) => _ = trouble.clear(),
            Err(error) => {
                let message = format!("what was kept on disk last may be lost: {error}");
                trouble.report(log, message);
            }
        }
    }
}

/// Syncs each file once, and then the directory, so that no name stands for an empty file.
fn sync(requests: &[Request]) -> io::Result<()> {
    let mut files: Vec<&Arc<File>> = Vec::new();
    for file in requests.iter().map(|request| &request.file) {
        if !files.iter().any(|known| Arc::ptr_eq(known, file)) {
            files.push(file);
        }
    }
    files.into_iter().try_for_each(|file| file.sync_data())?;
    let directory = requests.iter().rev().find_map(|request| request.directory.as_ref());
    directory.map_or(Ok(()), |directory| directory.sync_all())
}
