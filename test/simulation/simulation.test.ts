import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import test from 'node:test';
import { run } from '../support/processes.ts';
import { simulate } from './simulate.ts';

/**
 * Deterministic simulation of a whole cluster under injected faults. Read oracles/violations.ts first (the
 * invariants), then world.ts (one run), faults/ (what fails), users/ (what is asked for), oracles/ (what judges).
 *
 * `STINT_SIMULATION_SEEDS` is the number of runs with the fixed seeds 1, 2, ... (default 100),
 * `STINT_SIMULATION_RANDOM` the number of runs with random seeds, which are printed (default 20), and
 * `STINT_SIMULATION_SEED` repeats a single seed with the whole trace.
 */
const SEEDS = Number(process.env.STINT_SIMULATION_SEEDS ?? 100);
const RANDOM = Number(process.env.STINT_SIMULATION_RANDOM ?? 20);
const ONLY = process.env.STINT_SIMULATION_SEED;

/** How many seeds one process runs. */
const SEEDS_OF_A_PROCESS = 10;

/**
 * Runs the seeds in processes of their own, as many at once as there are processors: the simulation takes longer than any
 * other file, and often runs when the others have ended.
 */
async function runSeeds(seeds: readonly number[]): Promise<void> {
	let next = 0;
	const runSome = async (): Promise<void> => {
		while (next < seeds.length) {
			const some = seeds.slice(next, next + SEEDS_OF_A_PROCESS).map(String);
			next += SEEDS_OF_A_PROCESS;
			const args = [`${import.meta.dirname}/run-seeds.ts`, ...some];
			const { code, stderr } = await run(process.execPath, [
				'--disable-warning=ExperimentalWarning',
				...args,
			]);
			assert.equal(code, 0, stderr);
		}
	};
	await Promise.all(Array.from({ length: availableParallelism() }, runSome));
}

test('a cluster with injected faults keeps every invariant and reaches its final state', async () => {
	if (ONLY === undefined) await runSeeds(Array.from({ length: SEEDS }, (_, i) => i + 1));
	else await simulate(Number(ONLY), 100_000);
});

test('a cluster with injected faults keeps every invariant with random seeds too', async (t) => {
	if (ONLY !== undefined) return;
	const seeds = Array.from({ length: RANDOM }, () => SEEDS + Math.floor(Math.random() * 2 ** 31));
	t.diagnostic(`seeds ${seeds.join(' ')}`);
	await runSeeds(seeds);
});

test('two runs of the same seed have the same trace', async () => {
	for (const seed of [1, 2, 4]) assert.equal(await simulate(seed), await simulate(seed));
});
