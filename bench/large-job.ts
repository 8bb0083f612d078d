import { type Figure, quantile } from './figure.ts';
import { timeJob, trueJob } from './jobs.ts';
import { startServer } from './server-process.ts';

const LARGE = 10_000;
const SMALL = 1000;
const ROUNDS = 3;

/**
 * The duration of an Indexed Job whose 10,000 Pods all run at once, with the fake runtime; and its cost per Pod
 * compared with that of 1,000 Pods, which shows whether the cost grows faster than the size.
 */
export async function largeJob(): Promise<readonly Figure[]> {
	const small: number[] = [];
	const large: number[] = [];
	for (let round = 0; round < ROUNDS; round++) {
		small.push((await timeIndexed(SMALL)) / SMALL);
		large.push((await timeIndexed(LARGE)) / LARGE);
	}
	const seconds = (quantile(large, 0.5) * LARGE) / 1000;
	const perPod = { name: `the same at ${SMALL}`, value: quantile(small, 0.5) };
	return [
		{
			name: `Indexed Job of ${LARGE}, all at once`,
			value: seconds,
			unit: 's',
			aim: '<= 20 s',
			met: seconds <= 20,
		},
		{
			name: `cost per Pod at ${LARGE}`,
			value: quantile(large, 0.5),
			unit: 'ms',
			limit: perPod,
			aim: '<= 1.5 times',
			met: quantile(large, 0.5) <= 1.5 * perPod.value,
		},
	];
}

async function timeIndexed(size: number): Promise<number> {
	const server = await startServer({ args: ['--runtime', 'fake', '--max-pods', `${2 * LARGE}`] });
	try {
		await timeJob(server.client, trueJob('warm-up'));
		const spec = { completionMode: 'Indexed', completions: size, parallelism: size } as const;
		return await timeJob(server.client, trueJob('large', spec));
	} finally {
		await server.stop();
	}
}
