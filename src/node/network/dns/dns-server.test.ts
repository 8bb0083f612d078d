import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { Resolver as NodeResolver } from 'node:dns/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import test, { type TestContext } from 'node:test';
import { decode, encode } from 'dns-packet';
import { SystemClock } from '../../../base/clock.ts';
import { dnsZoneOf } from '../../../plan/dns/zone.ts';
import { HOST_SOCKETS } from '../../../runtime/pod-sockets.ts';
import { DnsServer } from './dns-server.ts';
import type { DnsAddress } from './resolver.ts';
import { firstMessage, framed } from './stream-message.ts';

async function serve(
	t: TestContext,
	resolvers: readonly DnsAddress[],
	{
		services = SERVICES,
		serves = () => true,
	}: { services?: typeof SERVICES; serves?: (address: string) => boolean } = {},
): Promise<DnsServer> {
	const server = new DnsServer({
		...{ address: '127.77.0.2', port: 0, clock: new SystemClock() },
		resolvers: async () => resolvers,
		serves,
		sockets: HOST_SOCKETS,
	});
	await server.open();
	t.after(() => server.close());
	server.setZone(dnsZoneOf('cluster.local', services, ['default']));
	return server;
}

const NOTHING = { clusterIP: undefined, externalName: undefined, ports: [], endpoints: [] };
const HTTP = { name: 'http', protocol: 'tcp', port: 8080 };
const SERVICES = [
	{ ...NOTHING, namespace: 'default', name: 'queue', clusterIP: '10.96.0.7', ports: [HTTP] },
	{ ...NOTHING, namespace: 'default', name: 'alias', externalName: 'queue.default.svc.cluster.local' },
	{
		...NOTHING,
		...{ namespace: 'default', name: 'many' },
		endpoints: Array.from({ length: 100 }, (_, index) => ({
			...{ address: `10.244.0.${index}`, hostname: undefined, ports: [] },
		})),
	},
];

/** A resolver that asks the server, as a program's does. */
function clientOf(server: DnsServer): NodeResolver {
	const client = new NodeResolver({ timeout: 1000, tries: 1 });
	client.setServers([`127.77.0.2:${server.port}`]);
	return client;
}

test('a program resolves the names of Services, by TCP if the answer is long', async (t) => {
	const client = clientOf(await serve(t, []));
	assert.deepEqual(await client.resolve4('queue.default.svc.cluster.local'), ['10.96.0.7']);
	assert.deepEqual(await client.resolve4('alias.default.svc.cluster.local'), ['10.96.0.7']);
	assert.deepEqual(await client.reverse('10.96.0.7'), ['queue.default.svc.cluster.local']);
	const [port] = await client.resolveSrv('_http._tcp.queue.default.svc.cluster.local');
	assert.deepEqual([port?.name, port?.port], ['queue.default.svc.cluster.local', 8080]);
	assert.equal((await client.resolve4('many.default.svc.cluster.local')).length, 100);
	await assert.rejects(client.resolve4('none.default.svc.cluster.local'), { code: 'ENOTFOUND' });
	await assert.rejects(client.resolve6('queue.default.svc.cluster.local'), { code: 'ENODATA' });
});

test('other names are those of the next resolver that answers', async (t) => {
	const other = { ...NOTHING, namespace: 'default', name: 'x', clusterIP: '192.0.2.1' };
	const next = await serve(t, [], { services: [other] });
	next.setZone(dnsZoneOf('example.com', [other], []));
	const silent = { address: '127.77.0.3', port: 9 };
	const address = { address: '127.77.0.2', port: next.port };
	const client = clientOf(await serve(t, [silent, address]));
	assert.deepEqual(await client.resolve4('x.default.svc.example.com'), ['192.0.2.1']);
	await assert.rejects(client.resolve4('y.default.svc.example.com'), { code: 'ENOTFOUND' });
	await assert.rejects(clientOf(await serve(t, [])).resolve4('example.com'), { code: 'ESERVFAIL' });
});

test('what is no question gets no answer, and the server continues', async (t) => {
	const server = await serve(t, []);
	const socket = createSocket('udp4');
	t.after(() => socket.close());
	const answers: unknown[] = [];
	socket.on('message', (answer) => answers.push(decode(answer).id));
	const question = { type: 'A', name: 'queue.default.svc.cluster.local', class: 'IN' } as const;
	const good = encode({ id: 7, type: 'query', questions: [question] });
	const answer = encode({ ...decode(good), type: 'response' });
	const noise = Array.from({ length: 200 }, (_, index) => Buffer.alloc(index, index));
	for (const bad of [answer, good.subarray(0, 20), Buffer.alloc(12), ...noise])
		socket.send(bad, server.port, '127.77.0.2');
	const last = once(socket, 'message');
	socket.send(good, server.port, '127.77.0.2');
	await last;
	assert.deepEqual(answers, [7]);
	const client = connect({ host: '127.77.0.2', port: server.port });
	client.write(Buffer.from([0, 3, 1, 2, 3]));
	client.write(Buffer.concat([Buffer.from([0, good.length]), good]));
	const [received] = await once(client, 'data');
	assert.equal(decode(received.subarray(2)).answers?.length, 1);
	client.destroy();
});

test('a client that reads late is asked for no more questions until it does, and gets all answers', async (t) => {
	const server = await serve(t, []);
	const question = { type: 'A', name: 'many.default.svc.cluster.local', class: 'IN' } as const;
	const one = framed(encode({ id: 7, type: 'query', questions: [question] }));
	const client = connect({ host: '127.77.0.2', port: server.port });
	t.after(() => client.destroy());
	const count = 10_000;
	client.write(Buffer.concat(Array.from({ length: count }, () => one)));
	let received: Buffer = Buffer.alloc(0);
	let answers = 0;
	// The first answers wait: they fill the buffers of the system long before the last question is sent.
	await once(client, 'readable');
	client.on('data', (chunk: Buffer) => {
		received = Buffer.concat([received, chunk]);
		for (let found = firstMessage(received); found; found = firstMessage(received)) {
			received = found.rest;
			answers += 1;
			if (answers === count) client.end();
		}
	});
	await once(client, 'close');
	assert.equal(answers, count);
});

test('a client that is not one of this machine gets no answer', async (t) => {
	const server = await serve(t, [], { serves: (address) => address !== '127.0.0.1' });
	const question = encode({
		type: 'query',
		id: 7,
		questions: [{ type: 'A', name: 'queue.default.svc.cluster.local', class: 'IN' }],
	});
	const [other, own] = [createSocket('udp4'), createSocket('udp4')];
	t.after(() => void [other, own].map((socket) => socket.close()));
	other.on('message', () => assert.fail('answered'));
	other.bind(0, '127.0.0.1');
	await once(other, 'listening');
	own.bind(0, '127.77.0.9');
	await once(own, 'listening');
	other.send(question, server.port, '127.77.0.2');
	own.send(question, server.port, '127.77.0.2');
	await once(own, 'message');
	const stream = connect({ host: '127.77.0.2', port: server.port, localAddress: '127.0.0.1' });
	stream.on('error', () => {});
	await new Promise((resolve) => stream.once('close', resolve));
	assert.equal(stream.bytesRead, 0);
});

test('a name that only looks like one of the cluster does not exist, and is returned as it came', async (t) => {
	const server = await serve(t, []);
	const socket = createSocket('udp4');
	t.after(() => socket.close());
	const labels = [
		Buffer.from('queue.default'),
		...['svc', 'cluster', 'local'].map((label) => Buffer.from(label)),
	];
	const odd = [
		Buffer.alloc(63, 0xff),
		...['default', 'svc', 'cluster', 'local'].map((label) => Buffer.from(label)),
	];
	for (const name of [labels, odd]) {
		const question = Buffer.concat([
			Buffer.from([0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
			...name.flatMap((label) => [Buffer.from([label.length]), label]),
			Buffer.from([0, 0, 1, 0, 1]),
		]);
		const answer = once(socket, 'message');
		socket.send(question, server.port, '127.77.0.2');
		const [received] = await answer;
		assert.equal(received.readUInt16BE(2) & 0xf, 3, 'NXDOMAIN');
		assert.ok(received.subarray(12).equals(question.subarray(12)));
	}
});
