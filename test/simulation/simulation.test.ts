import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { World } from './world.ts';

/**
 * Deterministic simulation of a whole cluster under injected faults. Read violations.ts first (the invariants),
 * then world.ts (one run), faults.ts and scheduled-kills.ts (what fails), oracles.ts (what judges).
 *
 * `STINT_SIMULATION_SEEDS` is the number of runs with the fixed seeds 1, 2, ... (default 300),
 * `STINT_SIMULATION_RANDOM` the number of runs with random seeds, which are printed (default 30), and
 * `STINT_SIMULATION_SEED` repeats a single seed with the whole trace. Every tenth seed has the API server on
 * SQLite, and half of the seeds have processes that exchange bytes with it (EncodedTransport).
 */
const SEEDS = Number(process.env.STINT_SIMULATION_SEEDS ?? 300);
const RANDOM = Number(process.env.STINT_SIMULATION_RANDOM ?? 30);
const ONLY = process.env.STINT_SIMULATION_SEED;

async function simulate(seed: number, logFolder: string): Promise<number> {
	const storage = seed % 10 === 0 ? 'sqlite' : 'memory';
	const transport = seed % 4 < 2 ? 'encoded' : 'direct';
	const world = new World({
		seed,
		logFolder,
		storage,
		transport,
		traceLines: ONLY === undefined ? 80 : 100_000,
	});
	try {
		await world.run();
		return world.trace.digest;
	} catch (error) {
		const trace = world.trace.tail().join('\n');
		const hint = `STINT_SIMULATION_SEED=${seed} repeats it`;
		assert.fail(`seed ${seed}: ${error instanceof Error ? error.message : error}\n${trace}\n${hint}`);
	} finally {
		await world.close();
	}
}

test('a cluster with injected faults keeps every invariant and reaches its final state', async (t) => {
	const logFolder = mkdtempSync(join(tmpdir(), 'stint-simulation-'));
	t.after(() => rmSync(logFolder, { recursive: true, force: true, maxRetries: 5 }));
	const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, i) => i + 1) : [Number(ONLY)];
	for (const seed of seeds) await simulate(seed, logFolder);
});

test('a cluster with injected faults keeps every invariant with random seeds too', async (t) => {
	if (ONLY !== undefined) return;
	const logFolder = mkdtempSync(join(tmpdir(), 'stint-simulation-'));
	t.after(() => rmSync(logFolder, { recursive: true, force: true, maxRetries: 5 }));
	const seeds = Array.from({ length: RANDOM }, () => SEEDS + Math.floor(Math.random() * 2 ** 31));
	t.diagnostic(`seeds ${seeds.join(' ')}`);
	for (const seed of seeds) await simulate(seed, logFolder);
});

test('two runs of the same seed have the same trace', async (t) => {
	const logFolder = mkdtempSync(join(tmpdir(), 'stint-simulation-'));
	t.after(() => rmSync(logFolder, { recursive: true, force: true, maxRetries: 5 }));
	for (const seed of [1, 2, 3])
		assert.equal(await simulate(seed, logFolder), await simulate(seed, logFolder));
});
