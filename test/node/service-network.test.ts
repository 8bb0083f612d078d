import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import test, { type TestContext } from 'node:test';
import { services } from '../../src/api/core/service/definition.ts';
import type { Service } from '../../src/api/core/service/schema.ts';
import { endpointSlices } from '../../src/api/discovery/endpointslice/definition.ts';
import type { EndpointSlice } from '../../src/api/discovery/endpointslice/schema.ts';
import { SystemClock, sleep } from '../../src/base/clock.ts';
import { freePort } from '../../src/base/testing/free-port.ts';
import { SeededRandom } from '../../src/base/testing/seeded-random.ts';
import { ServiceNetwork } from '../../src/node/network/service-network.ts';
import { HOST_SOCKETS } from '../../src/runtime/pod-sockets.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';

const DNS_ADDRESS = '127.77.1.1';
const clock = new SystemClock();

async function openPort(
	t: TestContext,
	answer: string,
	at = { host: '127.0.0.1', port: 0 },
): Promise<number> {
	const server = createServer((socket) => {
		socket.on('error', () => {});
		socket.end(answer);
	});
	server.listen(at);
	await once(server, 'listening');
	t.after(() => server.close());
	return (server.address() as AddressInfo).port;
}

interface Network {
	readonly plane: ControlPlane;
	readonly dnsPort: number;
	readonly refused: string[];
}

async function startNetwork(t: TestContext): Promise<Network> {
	const plane = await startControlPlane(t, clock);
	const dnsPort = await freePort();
	const refused: string[] = [];
	const network = new ServiceNetwork({
		client: plane.client,
		clock,
		random: new SeededRandom(1),
		sockets: HOST_SOCKETS,
		domain: 'cluster.local',
		nodeAddresses: ['127.0.0.1'],
		dns: { address: DNS_ADDRESS, port: dnsPort },
		serviceRange: '127.77.0.0/16',
		leadsToApiServer: false,
		mostConnections: 10,
		resolvers: async () => [],
		onNames: () => {},
		onRefused: (message, about) => void refused.push(`${about?.metadata.name}: ${message}`),
		onError: (key, error) => t.diagnostic(`${key}: ${error}`),
	});
	const stop = new AbortController();
	const running = network.run(stop.signal);
	t.after(async () => {
		stop.abort();
		await running;
	});
	return { plane, dnsPort, refused };
}

function service(name: string, ports: Service['spec']['ports']): Service {
	return {
		apiVersion: 'v1',
		kind: 'Service',
		metadata: { name },
		spec: { ports },
		status: { loadBalancer: {} },
	};
}

function sliceOf(name: string, port: number): EndpointSlice {
	return {
		apiVersion: 'discovery.k8s.io/v1',
		kind: 'EndpointSlice',
		metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
		addressType: 'IPv4',
		endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
		ports: [{ name: '', port, protocol: 'TCP' }],
	};
}

/** What a connection receives; the code of the error if it is refused. */
async function received(host: string, port: number): Promise<string> {
	const socket = connect({ host, port });
	try {
		return String((await once(socket, 'data'))[0]);
	} catch (error) {
		return error instanceof Error && 'code' in error ? String(error.code) : String(error);
	} finally {
		socket.destroy();
	}
}

/** Asks until the answer is the expected one: a change reaches the network some turns after the API. */
async function becomes(expected: string, ask: () => Promise<string>): Promise<void> {
	for (let time = 0; time < 500 && (await ask()) !== expected; time++) await sleep(clock, 10);
	assert.equal(await ask(), expected);
}

test('a Service is reached by its address and its name, as long as it has endpoints', async (t) => {
	const { plane, dnsPort } = await startNetwork(t);
	const port = await freePort();
	const target = plane.client.resource(services, 'default');
	const slices = plane.client.resource(endpointSlices, 'default');
	const { clusterIP: address = '' } = (await target.create(service('queue', [{ port, targetPort: port }])))
		.spec;
	const resolver = new Resolver({ timeout: 1000, tries: 1 });
	resolver.setServers([`${DNS_ADDRESS}:${dnsPort}`]);
	const resolved = async (): Promise<string> =>
		resolver.resolve4('queue.default.svc.cluster.local').then(
			(found) => found.join(),
			(error: NodeJS.ErrnoException) => error.code ?? '',
		);
	await becomes(address, resolved);
	assert.equal(await received(address, port), 'ECONNREFUSED');
	await slices.create(sliceOf('queue', await openPort(t, 'hello')));
	await becomes('hello', () => received(address, port));
	await slices.delete('queue-1');
	await becomes('ECONNREFUSED', () => received(address, port));
	await target.delete('queue');
	await becomes('ENOTFOUND', resolved);
});

test('a port that another program has is reported, and the other ports are served', async (t) => {
	const { plane, refused } = await startNetwork(t);
	const [taken, free] = [await freePort(), await freePort()];
	const ports = [
		{ name: 'a', port: taken, targetPort: taken },
		{ name: 'b', port: free, targetPort: free },
	];
	const { spec } = await plane.client.resource(services, 'default').create(service('both', ports));
	const { clusterIP: address = '' } = spec;
	await openPort(t, 'other', { host: address, port: taken });
	const target = await openPort(t, 'hello');
	const named = ports.map(({ name }) => ({ name, port: target, protocol: 'TCP' as const }));
	const slice = { ...sliceOf('both', target), ports: named };
	await plane.client.resource(endpointSlices, 'default').create(slice);
	await becomes('hello', () => received(address, free));
	assert.equal(await received(address, taken), 'other');
	assert.deepEqual(refused, [
		`both: the port ${taken} of the Service default/both is not served at ${address}: listen EADDRINUSE: address already in use ${address}:${taken}`,
	]);
});
