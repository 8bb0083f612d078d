import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { choosePodNetwork } from '../../src/runtime/process/network/network-choice.ts';
import { probeMachine } from '../../src/runtime/process/shim/probe.ts';
import { shimFile } from '../../src/runtime/process/shim/shim-file.ts';
import { atEnd, type Finished } from '../support/processes.ts';
import { asOrdinaryUser, type ServerOptions, startStint } from '../support/stint-server.ts';

/** Services of Pods with networks of their own: by name, from such a Pod and from this machine, and that of the API server. */

const shim = shimFile();
const choice = await choosePodNetwork('auto', { shim, machine: await probeMachine(shim) });
const skip = choice.kind === 'host' && (choice.reason ?? 'no networks of Pods');

const isRoot = process.geteuid?.() === 0;

const SERVER = `require('http').createServer((request, response) =>
	response.end([process.env.NAME, request.socket.remoteAddress].join(' '))).listen(8080)`;

/** A Service, and a ReplicaSet whose two Pods listen on 8080 each. */
function workload(name: string): readonly unknown[] {
	const labels = { app: name };
	const main = {
		...{ name: 'main', image: 'node', command: [process.execPath, '-e', SERVER] },
		env: [{ name: 'NAME', value: name }],
		readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
	};
	return [
		{
			...{ apiVersion: 'v1', kind: 'Service', metadata: { name } },
			spec: { type: 'NodePort', selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
		},
		{
			...{ apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name } },
			spec: {
				...{ replicas: 2, selector: { matchLabels: labels } },
				template: { metadata: { labels }, spec: { containers: [main] } },
			},
		},
	];
}

/** Prints what it gets from Services by their names, and from the API server by its name and its variables. */
const CALLER = `
const { readFileSync } = require('fs');
const https = require('https');
const FILES = '/var/run/secrets/kubernetes.io/serviceaccount/';
const ca = readFileSync(FILES + 'ca.crt');
const headers = { authorization: 'Bearer ' + readFileSync(FILES + 'token', 'utf8') };
const text = async (url) => (await fetch(url, { headers: { connection: 'close' } })).text();
const secure = (url) => new Promise((resolve, reject) => https.get(url, { ca, headers }, (response) => {
	let body = '';
	response.on('data', (chunk) => { body += chunk; }).on('end', () => resolve(response.statusCode + ' ' + JSON.parse(body).major));
}).on('error', reject));
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
(async () => {
	console.log(await text('http://one'));
	console.log(await text('http://two.default.svc.cluster.local'));
	console.log(await secure('https://kubernetes.default.svc/version'));
	console.log(await secure('https://' + host + ':' + port + '/version'));
	console.log(host + ':' + port);
})().catch((error) => { console.error(error); process.exit(1); });
`;

function caller(name: string): string {
	const main = { name: 'main', image: 'node', command: [process.execPath, '-e', CALLER] };
	const spec = { restartPolicy: 'Never', containers: [main] };
	return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec });
}

function ok(finished: Finished): string {
	assert.equal(finished.code, 0, `${finished.stdout}\n${finished.stderr}`);
	return finished.stdout;
}

test(
	'a Pod with its own network reaches Services and the API server by their names, also after a crash',
	{
		skip,
	},
	(t) => check(t, {}),
);

test(
	'a Pod of an ordinary user reaches Services and the API server likewise',
	{
		skip: skip || (isRoot ? false : 'needs root'),
	},
	(t) => check(t, asOrdinaryUser(t)),
);

async function check(t: TestContext, how: Pick<ServerOptions, 'folder' | 'under' | 'env'>): Promise<void> {
	const options = { ...how, args: ['--pod-network', 'pod'] };
	const first = await startStint(t, options);
	atEnd(t, async () => {
		const last = await startStint(t, { ...options, folder: first.folder });
		await last.kubectl('delete', 'rs,pods', '--all', '--now');
		await last.stop();
	});
	const items = [...workload('one'), ...workload('two')];
	const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
	ok(await first.kubectlWith(list, 'apply', '-f', '-'));
	const two = '--for=jsonpath={.status.readyReplicas}=2';
	ok(await first.kubectl('wait', two, 'rs', '--all', '--timeout=60s'));
	const addressOf = async (server: typeof first, name: string): Promise<string> =>
		ok(await server.kubectl('get', 'svc', name, '-o=jsonpath={.spec.clusterIP}'));
	const calls = async (server: typeof first, name: string): Promise<void> => {
		ok(await server.kubectlWith(caller(name), 'apply', '-f', '-'));
		await server.kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', `pod/${name}`, '--timeout=60s');
		const ip = ok(await server.kubectl('get', 'pod', name, '-o=jsonpath={.status.podIP}'));
		assert.match(ip, /^10\.|^172\.29\.|^192\.168\./);
		const lines = ok(await server.kubectl('logs', name))
			.trim()
			.split('\n');
		const api = await addressOf(server, 'kubernetes');
		assert.match(lines[0] ?? '', /^one /);
		assert.match(lines[1] ?? '', /^two /);
		assert.deepEqual(lines.slice(2), ['200 1', '200 1', `${api}:443`]);
	};
	await calls(first, 'before');
	const one = await addressOf(first, 'one');
	assert.match(one, /^10\.(9[6-9]|10\d|11[01])\./);
	const nodePort = ok(await first.kubectl('get', 'svc', 'one', '-o=jsonpath={.spec.ports[0].nodePort}'));
	assert.match(await (await fetch(`http://127.0.0.1:${nodePort}`)).text(), /^one /, 'by a node port');
	if (isRoot && !how.under) {
		assert.match(await (await fetch(`http://${one}`)).text(), /^one /, 'from this machine');
		const hostIP = ok(await first.kubectl('get', 'pod', 'before', '-o=jsonpath={.status.hostIP}'));
		const url = `http://${hostIP}:${nodePort}`;
		assert.match(await (await fetch(url)).text(), /^one /, 'at the address of the node');
		const program = `fetch('${url}').then((answer) => answer.text()).then(console.log)`;
		const seen = ok(await first.kubectl('exec', 'rs/two', '--', process.execPath, '-e', program));
		assert.match(seen, /^one /, 'at the address of the node, from a Pod');
	}
	const proxy = '/api/v1/namespaces/default/services/one:80/proxy/';
	assert.match(ok(await first.kubectl('get', '--raw', proxy)), /^one /, 'by the API');

	await first.stop('SIGKILL');
	const second = await startStint(t, { ...options, folder: first.folder });
	await calls(second, 'after');
	assert.equal(await addressOf(second, 'one'), one);
	await second.stop();
}
