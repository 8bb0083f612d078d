import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Figure, quantile } from './figure.ts';
import { trueJob } from './jobs.ts';
import { startServer } from './server-process.ts';

const WATCHERS = 1000;
const WARM_UP = 5;
const EVENTS = 40;
const PAUSE_MS = 300;

const PATH = '/apis/batch/v1/namespaces/default/jobs';

/** The address of a server, and the credentials for it. */
interface Target {
	readonly url: string;
	readonly ca: string;
	readonly token: string;
}

/** Milliseconds that each write took, and from the start of each write to each delivery of its event. */
interface Times {
	readonly writes: readonly number[];
	readonly deliveries: readonly number[];
}

/**
 * The time of a write and of the delivery of its event with 1,000 open watches, compared with a bare Node
 * server that writes the same bytes to as many clients.
 */
export async function watchers(): Promise<readonly Figure[]> {
	const server = await startServer();
	try {
		const { server: url, certificateAuthority: ca = '', token = '' } = server.access;
		const cpuBefore = cpuSecondsOf(server.pid);
		const times = await measure({ url, ca, token });
		const cpu = cpuSecondsOf(server.pid) - cpuBefore;
		const limit = await measureBroadcast(join(server.folder, 'pki'), ca);
		return figures(times, limit, cpu);
	} finally {
		await server.stop();
	}
}

function figures(times: Times, limit: Times, cpu: number): readonly Figure[] {
	const figure = (name: string, kind: keyof Times, q: number, aim: number | undefined): Figure => {
		const value = quantile(times[kind], q);
		return {
			name: `${name} with ${WATCHERS} watches, p${q * 100}`,
			value,
			unit: 'ms',
			limit: { name: 'a bare server', value: quantile(limit[kind], q) },
			...(aim !== undefined && { aim: `<= ${aim} ms`, met: value <= aim }),
		};
	};
	return [
		figure('POST of a Job', 'writes', 0.5, 15),
		figure('POST of a Job', 'writes', 0.99, undefined),
		figure('delivery of its event', 'deliveries', 0.5, undefined),
		figure('delivery of its event', 'deliveries', 0.99, 80),
		{
			name: `CPU of the server, ${WATCHERS} watches opened and sent ${EVENTS} events`,
			value: cpu,
			unit: 's',
		},
	];
}

/** The same measurement on the bare server of broadcast-server.ts. */
async function measureBroadcast(folder: string, ca: string): Promise<Times> {
	const child = spawn(process.execPath, [join(import.meta.dirname, 'broadcast-server.ts'), folder], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	try {
		for await (const line of createInterface({ input: child.stdout })) {
			const port = /^port (\d+)$/.exec(line)?.[1];
			if (port) return await measure({ url: `https://127.0.0.1:${port}`, ca, token: '' });
		}
		throw new Error('the broadcasting server ended');
	} finally {
		child.kill('SIGTERM');
	}
}

/**
 * Opens the watches, then writes one Job after the other, with pauses so that each is delivered before the
 * next. A write is timed until its response, and a delivery until its first bytes reach a watch.
 */
async function measure(target: Target): Promise<Times> {
	const agent = new https.Agent({ keepAlive: true, ca: target.ca });
	const open = (method: string, path: string, body?: string): Promise<IncomingMessage> =>
		new Promise((resolve, reject) => {
			const headers = { authorization: `Bearer ${target.token}`, 'content-type': 'application/json' };
			const request = https.request(`${target.url}${path}`, { agent, method, headers }, resolve);
			request.on('error', reject).end(body);
		});
	let delivered: (() => void) | undefined;
	const responses: IncomingMessage[] = [];
	for (let opened = 0; opened < WATCHERS; opened += 50) {
		const batch = await Promise.all(
			Array.from({ length: 50 }, () =>
				open('GET', `${PATH}?watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan`),
			),
		);
		for (const response of batch) response.on('data', () => delivered?.()).on('error', () => {});
		responses.push(...batch);
	}
	const writes: number[] = [];
	const deliveries: number[] = [];
	for (let event = 0; event < WARM_UP + EVENTS; event++) {
		await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
		const job = trueJob(`watched-${event}`, { suspend: true });
		const all = Promise.withResolvers<void>();
		const arrived: number[] = [];
		const started = performance.now();
		delivered = () => {
			arrived.push(performance.now() - started);
			if (arrived.length === WATCHERS) all.resolve();
		};
		const answer = await open('POST', PATH, JSON.stringify(job));
		const took = performance.now() - started;
		answer.resume();
		await all.promise;
		delivered = undefined;
		if (event < WARM_UP) continue;
		writes.push(took);
		deliveries.push(...arrived);
	}
	for (const response of responses) response.destroy();
	agent.destroy();
	return { writes, deliveries };
}

/** The CPU time in seconds that a process has used (Linux). */
function cpuSecondsOf(pid: number): number {
	const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
		.replace(/^.*\) /, '')
		.split(' ');
	const [userTicks = '0', systemTicks = '0'] = fields.slice(11, 13);
	return (Number(userTicks) + Number(systemTicks)) / 100;
}
