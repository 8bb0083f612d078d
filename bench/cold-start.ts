import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Figure, quantile } from './figure.ts';
import { timeColdStart } from './server-process.ts';

const ROUNDS = 11;
const PORT = 17_443;

/** Maximum duration of a start, as a multiple of `node -e 0`, so that the aim does not depend on the machine. */
const AIM_FIRST = 8;
const AIM_LATER = 5;

/**
 * The time from the command until `/readyz` succeeds: in a new data folder, where the server creates its
 * certificates, and in an existing one. The first round is not counted, because it may bundle the sources and
 * fills the code caches.
 */
export async function coldStart(): Promise<readonly Figure[]> {
	const bare: number[] = [];
	const first: number[] = [];
	const later: number[] = [];
	for (let round = 0; round <= ROUNDS; round++) {
		const started = performance.now();
		execFileSync(process.execPath, ['-e', '0']);
		const took = performance.now() - started;
		const folder = mkdtempSync(join(tmpdir(), 'stint-bench-'));
		const starts = [await timeColdStart(folder, PORT), await timeColdStart(folder, PORT)] as const;
		rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
		if (round === 0) continue;
		bare.push(took);
		first.push(starts[0]);
		later.push(starts[1]);
	}
	const limit = { name: '`node -e 0`, p50', value: quantile(bare, 0.5) };
	const figure = (name: string, sample: readonly number[], most: number): Figure => {
		const value = quantile(sample, 0.5);
		const aim = `<= ${most} times the limit`;
		return { name, value, unit: 'ms', limit, aim, met: value <= most * limit.value };
	};
	return [
		figure('first start, new data folder, p50', first, AIM_FIRST),
		figure('start, p50', later, AIM_LATER),
	];
}
