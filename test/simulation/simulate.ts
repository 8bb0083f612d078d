import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { World } from './world.ts';

/** A run that broke an invariant, with the end of its trace. */
export class SimulationError extends Error {
	override readonly name = 'SimulationError';
}

/**
 * Runs the simulation of one seed; resolves to the digest of its trace. Rejects with a {@link SimulationError}.
 * Every tenth seed has the API server on SQLite. In every fourth one the processes exchange bytes with it
 * (EncodedTransport), which takes several times as long.
 */
export async function simulate(seed: number, traceLines = 80): Promise<number> {
	const logFolder = mkdtempSync(join(tmpdir(), 'stint-simulation-'));
	const storage = seed % 10 === 0 ? 'sqlite' : 'memory';
	const transport = seed % 4 === 0 ? 'encoded' : 'direct';
	const world = new World({ seed, logFolder, storage, transport, traceLines });
	try {
		await world.run();
		return world.trace.digest;
	} catch (error) {
		const trace = world.trace.tail().join('\n');
		const hint = `STINT_SIMULATION_SEED=${seed} repeats it`;
		const what = error instanceof Error ? error.message : String(error);
		throw new SimulationError(`seed ${seed}: ${what}\n${trace}\n${hint}`);
	} finally {
		await world.close();
		rmSync(logFolder, { recursive: true, force: true, maxRetries: 5 });
	}
}
