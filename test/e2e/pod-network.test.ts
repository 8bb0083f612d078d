import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { choosePodNetwork } from '../../src/runtime/process/network/network-choice.ts';
import { probeMachine } from '../../src/runtime/process/shim/probe.ts';
import { shimFile } from '../../src/runtime/process/shim/shim-file.ts';
import { atEnd } from '../support/processes.ts';
import { asOrdinaryUser, type ServerOptions, startStint } from '../support/stint-server.ts';

/** Pods with networks of their own, through the API: where their address appears, and what the node agent does with it. */

const shim = shimFile();
const choice = await choosePodNetwork('auto', { shim, machine: await probeMachine(shim) });
const skip = choice.kind === 'host' && (choice.reason ?? 'no networks of Pods');

const SERVER = `require('http').createServer((request, response) =>
	response.end([process.env.POD_IP, request.url].join(' '))).listen(8080)`;

/** A Pod whose program listens on 8080, where probes and a hook of the node agent reach it by the Pod's address alone. */
function manifestOf(name: string, hostPort: number): string {
	const probe = { httpGet: { port: 8080, path: '/probe' }, periodSeconds: 1 };
	const main = {
		...{ name: 'main', image: 'node', command: [process.execPath, '-e', SERVER] },
		env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
		ports: [{ containerPort: 8080, hostPort }],
		...{ readinessProbe: probe, livenessProbe: { ...probe, httpGet: undefined, tcpSocket: { port: 8080 } } },
		lifecycle: { preStop: { httpGet: { port: 8080, path: '/hook' } } },
	};
	return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [main] } });
}

test(
	'the address of a Pod is in its status, its variables and its hosts file, and probes and hooks use it',
	{
		skip,
	},
	(t) => check(t, { reached: process.geteuid?.() === 0 }),
);

test(
	'so it is for an ordinary user, from whose machine only the server reaches Pods',
	{
		skip: skip || (process.geteuid?.() === 0 ? false : 'needs root'),
	},
	(t) => check(t, { reached: false, ...asOrdinaryUser(t) }),
);

/** `reached`: whether this machine reaches the addresses of Pods. */
async function check(
	t: TestContext,
	{ reached, ...how }: Pick<ServerOptions, 'folder' | 'under' | 'env'> & { readonly reached: boolean },
): Promise<void> {
	const options = { ...how, args: ['--pod-network', 'pod'] };
	const first = await startStint(t, options);
	atEnd(t, async () => {
		const last = await startStint(t, { ...options, folder: first.folder });
		await last.kubectl('delete', 'pods', '--all', '--now');
		await last.stop();
	});
	for (const [index, name] of ['a', 'b'].entries()) {
		const { stderr } = await first.kubectlWith(manifestOf(name, 28_080 + index), 'apply', '-f', '-');
		assert.equal(stderr, '');
	}
	const ready = await first.kubectl('wait', '--for=condition=Ready', 'pods', '--all', '--timeout=30s');
	assert.equal(ready.code, 0, ready.stderr);
	const addressOf = async (name: string): Promise<string> =>
		(await first.kubectl('get', 'pod', name, '-o', 'jsonpath={.status.podIP} {.status.podIPs[*].ip}')).stdout;
	const [a = '', again] = (await addressOf('a')).split(' ');
	const [b = ''] = (await addressOf('b')).split(' ');
	assert.match(a, /^10\./);
	assert.equal(again, a);
	assert.notEqual(a, b);
	const hosts = await first.kubectl('exec', 'a', '--', 'cat', '/etc/hosts');
	assert.match(hosts.stdout, new RegExp(`^${a}\\ta$`, 'm'));
	const at = (ip: string, hostPort: number): string =>
		reached ? `http://${ip}:8080` : `http://127.0.0.1:${hostPort}`;
	assert.equal(await textAt(`${at(a, 28_080)}/x`), `${a} /x`);
	const describe = await first.kubectl('describe', 'node');
	assert.match(describe.stdout, /NetworkUnavailable +False .* PodNetwork +Pods have networks of their own/);

	await first.stop('SIGKILL');
	if (reached) assert.equal(await textAt(`http://${b}:8080/y`), `${b} /y`);
	const second = await startStint(t, { ...options, folder: first.folder });
	while ((await textAt('http://127.0.0.1:28080/z')) !== `${a} /z`) await pause(50);
	const { stdout } = await second.kubectl('get', 'pods', '-o', 'jsonpath={.items[*].status.podIP}');
	assert.equal(stdout, `${a} ${b}`);
	await second.kubectl('delete', 'pod', 'a', '--grace-period=5');
	const events = await second.kubectl('get', 'events', '-o', 'jsonpath={.items[*].reason}');
	assert.match(events.stdout, /Killing/);
	assert.doesNotMatch(events.stdout, /FailedPreStopHook/);
	await second.stop();
}

/** What a server answers; empty if it cannot be reached. */
async function textAt(url: string): Promise<string> {
	try {
		return await (await fetch(url, { headers: { connection: 'close' } })).text();
	} catch {
		return '';
	}
}
