/**
 * The benchmarks: `npm run bench [-- NAME...]`. Each figure is compared with a limit that is measured in the
 * same run, since machines differ and are noisy. Results are copied to bench/RESULTS.md by hand, with their
 * date.
 *
 * Order of reading: figure.ts (a figure and its table), server-process.ts and jobs.ts (a server under test, and
 * the Jobs it runs), then one file for each benchmark. The limits are in runtime-limit.ts and
 * broadcast-server.ts, or next to the benchmark.
 */
import { cpus, totalmem } from 'node:os';
import { churn } from './churn.ts';
import { coldStart } from './cold-start.ts';
import { commands } from './commands.ts';
import { cronJobs } from './cronjobs.ts';
import { type Figure, table } from './figure.ts';
import { images } from './images.ts';
import { largeJob } from './large-job.ts';
import { oneShot } from './one-shot.ts';
import { memory } from './resident-memory.ts';
import { services } from './services.ts';
import { steadyState } from './steady-state.ts';
import { throughput } from './throughput.ts';
import { watchers } from './watchers.ts';

const BENCHMARKS: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
	'cold-start': coldStart,
	commands,
	'one-shot': oneShot,
	throughput,
	'large-job': largeJob,
	cronjobs: cronJobs,
	memory,
	watchers,
	churn,
	services,
	images,
	'steady-state': steadyState,
};

/** Benchmarks that take half an hour and run only if they are named. */
const LONG: readonly string[] = ['steady-state'];

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0)
	throw new Error(`unknown benchmark ${unknown.join(', ')}; known are ${Object.keys(BENCHMARKS).join(', ')}`);

const figures: Figure[] = [];
for (const [name, measure] of Object.entries(BENCHMARKS)) {
	if (chosen.length > 0 ? !chosen.includes(name) : LONG.includes(name)) continue;
	process.stderr.write(`measuring ${name} ...\n`);
	figures.push(...(await measure()));
}
const cores = cpus();
process.stdout.write(
	`${cores.length} × ${cores[0]?.model ?? 'CPU'}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}\n\n${table(figures)}\n`,
);
