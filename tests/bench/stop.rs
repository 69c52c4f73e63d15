//! How long a supervisord with twelve programs and three listeners takes to stop: alone, and below
//! `superlance run`.

use std::time::Instant;

use nix::sys::signal::Signal;
use superlance_testing::{SOON, Supervisord, wait_until};

use crate::program;
use crate::table::{Row, Target};

pub(crate) fn stop() -> Vec<Row> {
    let mut samples: [Vec<f64>; 3] = Default::default();
    let program = program().display().to_string();
    for _ in 0..3 {
        samples[0].push(milliseconds(&[]));
        samples[1].push(milliseconds(&[&program, "run", "--"]));
    }
    let what = "12 programs and 3 listeners stop, alone and by superlance run";
    vec![Row::new(what, "ms", samples).target(Target::AtMost(1000.0))]
}

fn milliseconds(wrapper: &[&str]) -> f64 {
    let mut builder = Supervisord::builder().started_by(wrapper.iter().copied());
    for number in 0..12 {
        builder = builder.program(&format!("p{number}"), "/bin/sleep 100000", &[]);
    }
    for number in 0..3 {
        let command = format!("{} exitmon -p none", program().display());
        builder = builder.listener(&format!("l{number}"), &command, "PROCESS_STATE_EXITED", &[]);
    }
    let mut supervisord = builder.start();
    wait_until("all processes", SOON, || {
        let all = supervisord.call("supervisor.getAllProcessInfo", &[]);
        all.matches("<string>RUNNING</string>").count() == 15
    });
    let started = Instant::now();
    supervisord.signal(Signal::SIGTERM);
    supervisord.wait_exit();
    started.elapsed().as_secs_f64() * 1000.0
}
