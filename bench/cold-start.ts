import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Figure, quantile } from './figure.ts';
import { timeColdStart } from './server-process.ts';

const ROUNDS = 11;
const AIM_MS = 300;
const PORT = 17_443;

/** From the command to `/readyz`: in a new data folder (certificates are made) and in one that is there. */
export async function coldStart(): Promise<readonly Figure[]> {
	const bare: number[] = [];
	const first: number[] = [];
	const later: number[] = [];
	for (let round = 0; round < ROUNDS; round++) {
		const started = performance.now();
		execFileSync(process.execPath, ['-e', '0']);
		bare.push(performance.now() - started);
		const folder = mkdtempSync(join(tmpdir(), 'stint-bench-'));
		first.push(await timeColdStart(folder, PORT));
		later.push(await timeColdStart(folder, PORT));
		rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
	}
	const limit = { name: '`node -e 0`, p50', value: quantile(bare, 0.5) };
	return [['first start, new data folder, p50', first] as const, ['start, p50', later] as const].map(
		([name, sample]) => {
			const value = quantile(sample, 0.5);
			return { name, value, unit: 'ms', limit, aim: `<= ${AIM_MS} ms`, met: value <= AIM_MS };
		},
	);
}
