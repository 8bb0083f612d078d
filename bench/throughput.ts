import { type Figure, quantile } from './figure.ts';
import { timeJob, trueJob } from './jobs.ts';
import { runtimeLimit } from './runtime-limit.ts';
import { startServer } from './server-process.ts';

const COMPLETIONS = 1000;
const PARALLELISM = 50;
const ROUNDS = 5;

/** Pods per second of a Job of 1,000 Pods, 50 at a time, compared with the rate of the runtime alone. */
export async function throughput(): Promise<readonly Figure[]> {
	const rates: number[] = [];
	const limits: number[] = [];
	for (let round = 0; round < ROUNDS; round++) {
		limits.push(await runtimeLimit({ count: COMPLETIONS, concurrency: PARALLELISM }));
		const server = await startServer();
		try {
			await timeJob(server.client, trueJob('warm-up'));
			const job = trueJob('many', { completions: COMPLETIONS, parallelism: PARALLELISM });
			rates.push(COMPLETIONS / ((await timeJob(server.client, job)) / 1000));
		} finally {
			await server.stop();
		}
	}
	const value = quantile(rates, 0.5);
	const limit = { name: 'the runtime alone', value: quantile(limits, 0.5) };
	const met = value >= 300 && value >= 0.4 * limit.value;
	return [
		{
			name: `Job of ${COMPLETIONS}, ${PARALLELISM} at a time`,
			value,
			unit: 'Pods/s',
			limit,
			aim: '>= 300 and >= 0.40 of the limit',
			met,
		},
	];
}
