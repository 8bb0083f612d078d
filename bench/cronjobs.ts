import { cronjobs } from '../src/api/batch/cronjob/definition.ts';
import { pods } from '../src/api/core/pod/definition.ts';
import type { Client } from '../src/client/client.ts';
import { type Figure, quantile } from './figure.ts';
import { cronJobDueAt } from './jobs.ts';
import { startServer } from './server-process.ts';

const COUNT = 1000;
const MINUTE_MS = 60_000;
/** Maximum time for creating the CronJobs, which are due at the first full minute after it. */
const PREPARATION_MS = 15_000;

/** The lateness of the Pods of 1,000 CronJobs that are due in the same minute, with the fake runtime. */
export async function cronJobs(): Promise<readonly Figure[]> {
	const server = await startServer({ args: ['--runtime', 'fake', '--max-pods', `${2 * COUNT}`] });
	try {
		const dueMs = Math.ceil((Date.now() + PREPARATION_MS) / MINUTE_MS) * MINUTE_MS;
		const target = server.client.resource(cronjobs, 'default');
		for (let index = 0; index < COUNT; index++) await target.create(cronJobDueAt(`due-${index}`, dueMs));
		const lateness = (await startTimes(server.client)).map((ms) => ms - dueMs);
		const p99 = quantile(lateness, 0.99);
		return [
			{ name: `lateness of ${COUNT} CronJobs due at once, p50`, value: quantile(lateness, 0.5), unit: 'ms' },
			{
				name: `lateness of ${COUNT} CronJobs due at once, p99`,
				value: p99,
				unit: 'ms',
				aim: '<= 1000 ms',
				met: p99 <= 1000,
			},
		];
	} finally {
		await server.stop();
	}
}

/**
 * The times, in milliseconds since 1970, at which a watch reported each Pod as started; one for each CronJob.
 */
async function startTimes(client: Client): Promise<readonly number[]> {
	const started = new Map<string, number>();
	const all = Promise.withResolvers<void>();
	const watch = await client.resource(pods, 'default').watch(
		{},
		{
			events: (batch) => {
				for (const { object } of batch) {
					const { metadata, status } = object;
					const running = status?.phase === 'Running' || status?.phase === 'Succeeded';
					if (!running || started.has(metadata.name ?? '')) continue;
					started.set(metadata.name ?? '', Date.now());
					if (started.size === COUNT) all.resolve();
				}
			},
			ended: (error) => all.reject(error ?? new Error('the watch ended')),
		},
	);
	await all.promise;
	watch.stop();
	return [...started.values()];
}
