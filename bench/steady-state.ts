import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { jobs } from '../src/api/batch/job/definition.ts';
import type { Figure } from './figure.ts';
import { trueJob } from './jobs.ts';
import { memoryOf, processesNaming } from './memory.ts';
import { type ServerProcess, startServer } from './server-process.ts';

const MINUTES = Number(process.env.STINT_BENCH_MINUTES ?? 30);
/**
 * Memory and disk must not grow after this time: by then, everything that expires within minutes has expired
 * once.
 */
const SETTLING_MINUTES = Math.min(10, MINUTES / 3);
const JOBS_PER_SECOND = 4;
const TTL_SECONDS = 15;
const AIM_GROWTH = 1.1;

interface Sample {
	readonly minute: number;
	readonly memoryMib: number;
	readonly diskMib: number;
}

/** Memory and disk use of a server that deletes as many Jobs, by their TTL, as are created. */
export async function steadyState(): Promise<readonly Figure[]> {
	const server = await startServer();
	try {
		const samples = await run(server);
		const settled = samples.filter(({ minute }) => minute <= SETTLING_MINUTES).at(-1) ?? samples[0];
		if (!settled) return [];
		return [growth('memory', 'memoryMib', settled, samples), growth('disk', 'diskMib', settled, samples)];
	} finally {
		await server.stop();
	}
}

async function run(server: ServerProcess): Promise<readonly Sample[]> {
	const target = server.client.resource(jobs, 'default');
	const samples: Sample[] = [];
	const started = performance.now();
	for (let created = 0; created < MINUTES * 60 * JOBS_PER_SECOND; created++) {
		await wait(Math.max(0, started + (created * 1000) / JOBS_PER_SECOND - performance.now()));
		await target.create(trueJob(`steady-${created}`, { ttlSecondsAfterFinished: TTL_SECONDS }));
		const minute = created / JOBS_PER_SECOND / 60;
		if (minute >= samples.length + 1) samples.push(sampleOf(server, samples.length + 1));
	}
	return [...samples, sampleOf(server, MINUTES)];
}

function sampleOf(server: ServerProcess, minute: number): Sample {
	const memoryMib = memoryOf(processesNaming(server.folder)).rss;
	const diskMib = bytesIn(server.folder) / 2 ** 20;
	process.stderr.write(
		`minute ${minute}: ${memoryMib.toFixed(0)} MiB RSS, ${diskMib.toFixed(1)} MiB on disk\n`,
	);
	return { minute, memoryMib, diskMib };
}

/** The largest sample after the settling time, compared with the sample at that time. */
function growth(
	what: string,
	field: 'memoryMib' | 'diskMib',
	settled: Sample,
	samples: readonly Sample[],
): Figure {
	const later = samples.filter(({ minute }) => minute >= settled.minute).map((sample) => sample[field]);
	const value = Math.max(...later);
	return {
		name: `${JOBS_PER_SECOND} Jobs/s for ${MINUTES} min, ${what}`,
		value,
		unit: 'MiB',
		limit: { name: `after ${settled.minute} min`, value: settled[field] },
		aim: `<= ${AIM_GROWTH} of that`,
		met: value <= AIM_GROWTH * settled[field],
	};
}

function bytesIn(folder: string): number {
	let bytes = 0;
	for (const entry of readdirSync(folder, { recursive: true })) {
		// The node agent creates and removes files of Pods during the walk.
		bytes += lstatSync(join(folder, String(entry)), { throwIfNoEntry: false })?.size ?? 0;
	}
	return bytes;
}
