import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { temporaryFolder } from '../support/processes.ts';
import { type StintServer, startStint } from '../support/stint-server.ts';

/**
 * Kills the server, the launcher or both at random moments while Jobs run. No process may run twice, no Job may fail, and
 * nothing may be left behind: the shim waits for the containers and writes their ends to disk. STINT_CRASH_ROUNDS sets
 * the number of kills, STINT_CRASH_SEED repeats a run.
 */
const ROUNDS = Number(process.env.STINT_CRASH_ROUNDS ?? 6);
const SEED = Number(process.env.STINT_CRASH_SEED ?? Date.now() % 1_000_000);
const JOBS_A_ROUND = 4;
const COMPLETIONS = 4;

/** Random numbers below 1 from a seed. */
function dice(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state * 1103515245 + 12345) & 0x7fffffff;
		return state / 0x7fffffff;
	};
}

/** An indexed Job whose processes each add a line to `file`. */
function manifestOf(name: string, file: string, seconds: string): string {
	const script = `echo ${name}-$JOB_COMPLETION_INDEX >> ${file}; sleep ${seconds}; echo done`;
	const container = { name: 'c', image: 'busybox', command: ['sh', '-c', script] };
	const template = { spec: { restartPolicy: 'Never', containers: [container] } };
	const spec = { completions: COMPLETIONS, parallelism: COMPLETIONS, completionMode: 'Indexed', template };
	const metadata = { name };
	return JSON.stringify({
		apiVersion: 'batch/v1',
		kind: 'Job',
		metadata,
		spec: { ...spec, backoffLimit: 0 },
	});
}

function launcherOf(folder: string): number | undefined {
	const lock = join(folder, 'runtime/launcher.lock');
	return existsSync(lock) ? Number(JSON.parse(readFileSync(lock, 'utf8')).pid) : undefined;
}

function kill(pid: number | undefined): void {
	try {
		if (pid) process.kill(pid, 'SIGKILL');
	} catch {
		// It has exited.
	}
}

async function jobsAre(server: StintServer, condition: string): Promise<void> {
	const waited = await server.kubectl(
		'wait',
		`--for=condition=${condition}`,
		`--timeout=${60 + 2 * ROUNDS}s`,
		'jobs',
		'--all',
	);
	assert.equal(waited.code, 0, `${waited.stderr} ${(await server.kubectl('get', 'pods')).stdout}`);
}

test('no kill of server or launcher fails a Job or runs a process twice', {
	skip: process.platform !== 'linux',
}, async (t: TestContext) => {
	t.diagnostic(`seed ${SEED}`);
	const random = dice(SEED);
	const folder = temporaryFolder(t);
	const file = join(temporaryFolder(t), 'ran');
	let server = await startStint(t, { folder });
	for (let round = 0; round < ROUNDS; round++) {
		for (let index = 0; index < JOBS_A_ROUND; index++) {
			const manifest = manifestOf(`j${round}-${index}`, file, `0.${1 + Math.floor(random() * 8)}`);
			assert.equal((await server.kubectlWith(manifest, 'create', '-f', '-')).code, 0);
		}
		// A random moment of the work, not a wait for it.
		await pause(random() * 900);
		const victim = Math.floor(random() * 3);
		if (victim !== 0) kill(launcherOf(folder));
		if (victim === 1) continue;
		await server.stop('SIGKILL');
		await pause(random() * 600);
		server = await startStint(t, { folder });
	}
	await jobsAre(server, 'Complete');
	const lines = readFileSync(file, 'utf8').trim().split('\n');
	assert.equal(lines.length, ROUNDS * JOBS_A_ROUND * COMPLETIONS);
	assert.equal(new Set(lines).size, lines.length, 'a process ran twice');
	await server.stop();
});
