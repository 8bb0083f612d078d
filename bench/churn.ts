import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { jobs } from '../src/api/batch/job/definition.ts';
import { HttpTransport } from '../src/client/transport/http-node.ts';
import type { Figure } from './figure.ts';
import { trueJob } from './jobs.ts';
import { memoryOf, processesNaming } from './memory.ts';
import { type ServerProcess, startServer } from './server-process.ts';

/** Number of Jobs that come and go. Issue 9 asks for 100,000, which take a quarter of an hour. */
const JOBS = Number(process.env.STINT_BENCH_JOBS ?? 6_000);
/** The Jobs before the first settled sample: they leave more Events than the server keeps (10,000). */
const FIRST_JOBS = Math.max(2_000, JOBS / 10);
/** Number of Jobs between two samples. */
const SAMPLE_JOBS = Math.ceil(JOBS / 10);
/** Number of Jobs that exist at once: enough to keep the server busy while others wait for their TTL. */
const AT_ONCE = 200;
const TTL_SECONDS = 1;
/** Longer than any run. By default the server ends a watch after some minutes. */
const WATCH_SECONDS = 6 * 3600;
/** By then the server has packed all values, and V8 has collected the garbage. */
const SETTLING_MS = 30_000;
/** The history on disk covers this time, so the disk use can be judged only after twice as long. */
const HISTORY_MS = 6 * 60_000;
const AIM_GROWTH = 1.1;
/** The launcher keeps up to three folders and pipes for each Pod that ran at once, and reuses them. */
const AIM_FILES = 3 * AT_ONCE + 100;

interface Sample {
	readonly atMs: number;
	readonly pssMib: number;
	readonly heapMib: number;
	readonly diskMib: number;
	readonly files: number;
}

/**
 * Memory, disk space and files of a server through which many Jobs pass as fast as it can run and delete them.
 * While it works, memory contains garbage; so the memory to compare is that of two quiet moments.
 */
export async function churn(): Promise<readonly Figure[]> {
	const server = await startServer();
	try {
		const first = await passJobs(server, { from: 0, to: FIRST_JOBS });
		const settled = await settledSample(server, FIRST_JOBS);
		const second = await passJobs(server, { from: FIRST_JOBS, to: JOBS });
		const last = await settledSample(server, JOBS);
		return figures([...first, settled, ...second], settled, last);
	} finally {
		await server.stop();
	}
}

/** Keeps {@link AT_ONCE} Jobs in existence until Job number `to` has been deleted; returns the samples. */
async function passJobs(
	server: ServerProcess,
	{ from, to }: { readonly from: number; readonly to: number },
): Promise<readonly Sample[]> {
	const target = server.client.resource(jobs, 'default');
	const samples: Array<Promise<Sample>> = [];
	const done = Promise.withResolvers<void>();
	let created = from;
	let gone = from;
	const create = (): void => {
		if (created >= to) return;
		created += 1;
		const job = trueJob(`churn-${created}`, { ttlSecondsAfterFinished: TTL_SECONDS });
		target.create(job).catch(done.reject);
	};
	const countDeletion = (): void => {
		gone += 1;
		if (gone % SAMPLE_JOBS === 0) samples.push(sampleOf(server, gone));
		if (gone >= to) done.resolve();
		else create();
	};
	const watch = await target.watch(
		{ timeoutSeconds: WATCH_SECONDS },
		{
			events: (batch) => {
				for (const { type } of batch) if (type === 'DELETED') countDeletion();
			},
			ended: (error) => done.reject(error ?? new Error('the watch ended')),
		},
	);
	for (let index = 0; index < AT_ONCE; index++) create();
	await done.promise;
	watch.stop();
	return Promise.all(samples);
}

async function settledSample(server: ServerProcess, gone: number): Promise<Sample> {
	await wait(SETTLING_MS);
	return sampleOf(server, gone);
}

async function sampleOf(server: ServerProcess, gone: number): Promise<Sample> {
	const { pss: pssMib } = memoryOf(processesNaming(server.folder));
	const heapMib = (await gaugeOf(server, 'nodejs_heap_size_used_bytes')) / 2 ** 20;
	const { bytes, files } = contentsOf(server.folder);
	const diskMib = bytes / 2 ** 20;
	process.stderr.write(
		`${gone} Jobs gone: ${pssMib.toFixed(0)} MiB PSS, ${heapMib.toFixed(0)} MiB heap, ` +
			`${diskMib.toFixed(1)} MiB in ${files} files\n`,
	);
	return { atMs: performance.now(), pssMib, heapMib, diskMib, files };
}

/** A value of the server's metrics. */
async function gaugeOf(server: ServerProcess, name: string): Promise<number> {
	const transport = new HttpTransport(server.access);
	const chunks: Uint8Array[] = [];
	for await (const chunk of await transport.stream({ method: 'GET', path: '/metrics' })) chunks.push(chunk);
	const text = Buffer.concat(chunks).toString('utf8');
	return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

/** The total size and number of the files and folders in `folder`: each takes an inode. */
function contentsOf(folder: string): { readonly bytes: number; readonly files: number } {
	let bytes = 0;
	let files = 0;
	for (const entry of readdirSync(folder, { recursive: true })) {
		// The node agent creates and removes files of Pods during the walk.
		const stats = lstatSync(join(folder, String(entry)), { throwIfNoEntry: false });
		bytes += stats?.size ?? 0;
		files += stats ? 1 : 0;
	}
	return { bytes, files };
}

function figures(samples: readonly Sample[], settled: Sample, last: Sample): readonly Figure[] {
	const name = `${JOBS} Jobs that come and go`;
	const limit = (value: number) => ({ name: `after ${FIRST_JOBS}`, value });
	const aim = (value: number, of: number) => ({
		aim: `<= ${AIM_GROWTH} of that`,
		met: value <= AIM_GROWTH * of,
	});
	const most = (field: 'pssMib' | 'diskMib' | 'files', within = samples): number =>
		Math.max(...within.map((sample) => sample[field]));
	const start = samples[0]?.atMs ?? 0;
	const filled = samples.filter(({ atMs }) => atMs > start + HISTORY_MS);
	const diskAtHalf = most('diskMib', filled.slice(0, Math.ceil(filled.length / 2)));
	return [
		{
			name: `${name}, settled, PSS`,
			value: last.pssMib,
			unit: 'MiB',
			limit: limit(settled.pssMib),
			...aim(last.pssMib, settled.pssMib),
		},
		{
			name: `${name}, settled, heap in use`,
			value: last.heapMib,
			unit: 'MiB',
			limit: limit(settled.heapMib),
			...aim(last.heapMib, settled.heapMib),
		},
		{ name: `${name}, at work, PSS, maximum`, value: most('pssMib'), unit: 'MiB' },
		{
			name: `${name}, disk, maximum`,
			value: most('diskMib'),
			unit: 'MiB',
			...(filled.length > 1 && {
				limit: { name: 'the half after 6 min', value: diskAtHalf },
				...aim(most('diskMib'), diskAtHalf),
			}),
		},
		{
			name: `${name}, files, maximum`,
			value: most('files'),
			unit: 'files',
			aim: `<= ${AIM_FILES}`,
			met: most('files') <= AIM_FILES,
		},
	];
}
