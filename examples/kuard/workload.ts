import { type Clock, sleep } from '../../src/base/clock.ts';
import type { Flags } from './flags.ts';

const RETRY_MS = 1000;

/** Options of a workload. */
export interface WorkloadOptions {
	readonly flags: Flags;
	readonly clock: Clock;
	/** Generates one key and resolves to its fingerprint. */
	makeKey(): Promise<string>;
	log(line: string): void;
}

/** Generates keys until a limit of the flags is reached, then resolves. */
export async function runWorkload(options: WorkloadOptions): Promise<void> {
	const { keygenMemqServer: server, keygenMemqQueue: queue } = options.flags;
	options.log('(ID 0) Workload starting');
	if (server !== '' && queue !== '') await workFromQueue(options, `${server}/queues/${queue}/dequeue`);
	else await workByCount(options);
	options.log('(ID 0) Workload exiting');
}

async function workByCount({ flags, clock, makeKey, log }: WorkloadOptions): Promise<void> {
	const { keygenNumToGen: wanted, keygenTimeToRun: seconds } = flags;
	const until = seconds > 0 ? clock.now() + seconds * 1000 : Number.POSITIVE_INFINITY;
	const isDone = (made: number): boolean => clock.now() >= until || (wanted > 0 && made >= wanted);
	for (let made = 0; !isDone(made); ) {
		const key = await makeKey();
		made++;
		const left = seconds > 0 ? ` ${Math.round((until - clock.now()) / 1000)} seconds left` : '';
		log(`(ID 0 ${made}/${wanted > 0 ? wanted : 'Inf'}${left}) Item done: ${key}`);
	}
}

async function workFromQueue(options: WorkloadOptions, url: string): Promise<void> {
	const { flags, clock, makeKey, log } = options;
	for (;;) {
		try {
			if (await takeMessage(url)) {
				log(`(ID 0) Item done: ${await makeKey()}`);
				continue;
			}
			if (flags.keygenExitOnComplete) return;
			log('(ID 0) Queue is empty. Retrying after 1s.');
		} catch (error) {
			const why = error instanceof Error ? error.message : String(error);
			log(`(ID 0) Error talking to server: ${why}. Retrying after 1s.`);
		}
		await sleep(clock, RETRY_MS);
	}
}

/** Takes a message from the queue. Resolves to false if the queue is empty. */
async function takeMessage(url: string): Promise<boolean> {
	const response = await fetch(url, { method: 'POST' });
	const text = await response.text();
	if (response.status === 204) return false;
	if (!response.ok) throw new Error(text.trim());
	return true;
}
