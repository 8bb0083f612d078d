import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type Figure, quantile } from './figure.ts';
import { ROOT, startServer } from './server-process.ts';

const ROUNDS = 21;
const AIM = 1.3;

/**
 * The duration of `stint get jobs` compared with `kubectl get jobs`, run alternately on a server without
 * Jobs.
 */
export async function commands(): Promise<readonly Figure[]> {
	const server = await startServer();
	try {
		const ours: number[] = [];
		const kubectls: number[] = [];
		const time = (command: string): number => {
			const started = performance.now();
			const env = { ...process.env, KUBECONFIG: join(server.folder, 'kubeconfig') };
			execFileSync(command, ['get', 'jobs'], { env, stdio: 'ignore' });
			return performance.now() - started;
		};
		// The first three runs of a command fill its code cache.
		for (let round = -3; round < ROUNDS; round++) {
			const own = time(join(ROOT, 'stint'));
			const other = time('kubectl');
			if (round < 0) continue;
			ours.push(own);
			kubectls.push(other);
		}
		const value = quantile(ours, 0.5);
		const limit = { name: '`kubectl get jobs`, p50', value: quantile(kubectls, 0.5) };
		const aim = `<= ${AIM} times the limit`;
		return [
			{ name: '`stint get jobs`, p50', value, unit: 'ms', limit, aim, met: value <= AIM * limit.value },
		];
	} finally {
		await server.stop();
	}
}
