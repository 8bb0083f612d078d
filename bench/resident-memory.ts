import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Figure } from './figure.ts';
import { timeJob, trueJob } from './jobs.ts';
import { memoryOf, processesNaming } from './memory.ts';
import { startServer } from './server-process.ts';

const AIM_IDLE_MIB = 150;
const JOBS = Number(process.env.STINT_BENCH_JOBS ?? 10_000);
const AT_ONCE = 20;
/** By then the server has packed all values, and V8 has collected the garbage. */
const SETTLING_MS = 25_000;
const AIM_SETTLED_MIB = 250;

/** The memory of all processes of a server together: idle, and with many finished Jobs and their Pods. */
export async function memory(): Promise<readonly Figure[]> {
	const bare = await bareNode();
	const server = await startServer();
	try {
		// Run one Job first, so that the launcher is started and all code is loaded.
		await timeJob(server.client, trueJob('first'));
		const idle = memoryOf(processesNaming(server.folder));
		const limit = { name: `${idle.processes} idle Node processes`, value: bare * idle.processes };
		let next = 0;
		const work = async (): Promise<void> => {
			while (next < JOBS) {
				next += 1;
				await timeJob(server.client, trueJob(`finished-${next}`));
			}
		};
		await Promise.all(Array.from({ length: AT_ONCE }, work));
		const full = memoryOf(processesNaming(server.folder));
		await wait(SETTLING_MS);
		const settled = memoryOf(processesNaming(server.folder));
		return [
			{
				name: 'idle, RSS',
				value: idle.rss,
				unit: 'MiB',
				limit,
				aim: `<= ${AIM_IDLE_MIB} MiB`,
				met: idle.rss <= AIM_IDLE_MIB,
			},
			{ name: 'idle, PSS (shared pages divided)', value: idle.pss, unit: 'MiB', limit },
			{ name: `${JOBS} finished Jobs, RSS`, value: full.rss, unit: 'MiB', limit },
			{ name: `${JOBS} finished Jobs, PSS`, value: full.pss, unit: 'MiB', limit },
			{
				name: `the same ${SETTLING_MS / 1000} s later, RSS`,
				value: settled.rss,
				unit: 'MiB',
				limit,
				aim: `<= ${AIM_SETTLED_MIB} MiB`,
				met: settled.rss <= AIM_SETTLED_MIB,
			},
			{ name: `the same ${SETTLING_MS / 1000} s later, PSS`, value: settled.pss, unit: 'MiB', limit },
		];
	} finally {
		await server.stop();
	}
}

async function bareNode(): Promise<number> {
	const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => 0, 1e6)']);
	await once(child.stdout, 'data');
	const { rss } = memoryOf([child.pid ?? 0]);
	child.kill();
	return rss;
}
