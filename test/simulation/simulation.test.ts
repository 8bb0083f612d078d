import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { World } from './world.ts';

/**
 * Many short lives of a whole cluster in which things go wrong; violations.ts says what must hold all the
 * same. `STINT_SIMULATION_SEEDS` says how many lives with fixed seeds, `STINT_SIMULATION_RANDOM` how many
 * with random ones, which are printed; `STINT_SIMULATION_SEED` repeats a single one. Of ten lives one has
 * the API server on SQLite.
 */
const SEEDS = Number(process.env.STINT_SIMULATION_SEEDS ?? 300);
const RANDOM = Number(process.env.STINT_SIMULATION_RANDOM ?? 30);
const ONLY = process.env.STINT_SIMULATION_SEED;

async function live(seed: number, logFolder: string): Promise<number> {
	const storage = seed % 10 === 0 ? 'sqlite' : 'memory';
	const world = new World({ seed, logFolder, storage, traceLines: ONLY === undefined ? 80 : 100_000 });
	try {
		await world.run();
		return world.trace.digest;
	} catch (error) {
		const story = world.trace.tail().join('\n');
		const again = `STINT_SIMULATION_SEED=${seed} repeats it`;
		assert.fail(`seed ${seed}: ${error instanceof Error ? error.message : error}\n${story}\n${again}`);
	} finally {
		await world.close();
	}
}

test('whatever goes wrong, the invariants hold and everything comes to its end', async (t) => {
	const logFolder = mkdtempSync(join(tmpdir(), 'stint-simulation-'));
	t.after(() => rmSync(logFolder, { recursive: true, force: true, maxRetries: 5 }));
	const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, i) => i + 1) : [Number(ONLY)];
	for (const seed of seeds) await live(seed, logFolder);
});

test('and so they do with seeds that no run has had before', async (t) => {
	if (ONLY !== undefined) return;
	const logFolder = mkdtempSync(join(tmpdir(), 'stint-simulation-'));
	t.after(() => rmSync(logFolder, { recursive: true, force: true, maxRetries: 5 }));
	const seeds = Array.from({ length: RANDOM }, () => SEEDS + Math.floor(Math.random() * 2 ** 31));
	t.diagnostic(`seeds ${seeds.join(' ')}`);
	for (const seed of seeds) await live(seed, logFolder);
});

test('the same seed gives the same run', async (t) => {
	const logFolder = mkdtempSync(join(tmpdir(), 'stint-simulation-'));
	t.after(() => rmSync(logFolder, { recursive: true, force: true, maxRetries: 5 }));
	for (const seed of [1, 2, 3]) assert.equal(await live(seed, logFolder), await live(seed, logFolder));
});
