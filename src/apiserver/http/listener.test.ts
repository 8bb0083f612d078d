import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { OutgoingHttpHeaders } from 'node:http';
import { request as open } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { afterEach, before, beforeEach, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { KUBERNETES_VERSION } from '../../api/kubernetes-version.ts';
import { delimitedField, enveloped } from '../../api/protobuf/testing/wire-writer.ts';
import { apiContract } from '../testing/api-contract-suite.ts';
import { ECHO_NODE } from '../testing/echo-node.ts';
import {
	type Json,
	jsonOf,
	listenTo,
	send,
	testCredentials,
	textOf,
	transportTo,
} from '../testing/https-test-client.ts';
import {
	openTestServer,
	PODS,
	podNamed,
	type TestConnection,
	type TestServer,
} from '../testing/server-contract-suite.ts';
import { watchContract } from '../testing/watch-contract-suite.ts';
import type { Credentials } from './credentials.ts';
import type { HttpListener } from './listener.ts';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';

let credentials: Credentials;
before(async () => {
	credentials = await testCredentials();
});

async function connect(opened: TestServer): Promise<TestConnection> {
	const listener = await listenTo(opened);
	return { transport: transportTo(listener), close: () => listener.close() };
}

apiContract('the API over HTTPS', connect);
watchContract('watches over HTTPS', connect);

describe('the listener', () => {
	let opened: TestServer;
	let listener: HttpListener;

	beforeEach(async () => {
		opened = await openTestServer({ nodeApi: ECHO_NODE });
		listener = await listenTo(opened);
	});
	afterEach(async () => {
		await listener.close();
		opened.server.close();
		assert.deepEqual(opened.faults, []);
	});

	test('rejects requests without the token, except health checks', async () => {
		for (const token of [null, 'wrong', `${credentials.token}x`]) {
			const response = await send(listener, 'GET', '/api/v1/pods', { token });
			assert.equal(response.statusCode, 401);
			const { kind, reason, message } = await jsonOf(response);
			assert.deepEqual([kind, reason, message], ['Status', 'Unauthorized', 'Unauthorized']);
		}
		for (const path of ['/readyz', '/livez', '/healthz']) {
			assert.equal(await textOf(await send(listener, 'GET', path, { token: null })), 'ok');
		}
		const version = await jsonOf(await send(listener, 'GET', '/version', { token: null }));
		assert.equal(version.gitVersion, `v${KUBERNETES_VERSION}+stint.0.0.0`);
		assert.equal((await send(listener, 'GET', '/api', { token: null })).statusCode, 401);
		assert.equal((await send(listener, 'GET', '/nothing', { token: null })).statusCode, 401);
	});

	test('rejects requests of web pages', async () => {
		const statusWith = async (headers: OutgoingHttpHeaders): Promise<number | undefined> =>
			(await send(listener, 'GET', '/readyz', { headers })).statusCode;
		assert.equal(await statusWith({ origin: 'https://example.com' }), 403);
		assert.equal(await statusWith({ origin: 'null' }), 403);
		for (const host of [
			'example.com',
			'127.0.0.1.example.com',
			'localhost.example.com',
			'10.0.0.1',
			'[::2]',
		]) {
			assert.equal(await statusWith({ host }), 403, host);
		}
		for (const host of ['localhost', 'LOCALHOST:1234', '127.0.0.1:80', '127.1.2.3', '[::1]:6443']) {
			assert.equal(await statusWith({ host }), 200, host);
		}
	});

	test('serves the stored bytes with the resourceVersion inserted', async () => {
		await opened.server.request({ method: 'POST', path: PODS, body: podNamed('p') });
		const text = await textOf(await send(listener, 'GET', `${PODS}/p`));
		assert.match(text, /^\{"kind":"Pod","apiVersion":"v1","metadata":\{"resourceVersion":"\d+","name":"p",/);
		const { object } = await opened.server.request({ method: 'GET', path: `${PODS}/p` });
		assert.deepEqual(JSON.parse(text), object);
	});

	test('accepts JSON without a content type, and YAML', async () => {
		const raw = await send(listener, 'POST', PODS, { body: JSON.stringify(podNamed('raw')) });
		assert.equal(raw.statusCode, 201);
		const yaml = await send(listener, 'POST', PODS, {
			headers: { 'content-type': 'application/yaml' },
			body: 'metadata: {name: yaml}\nspec:\n  containers:\n  - name: main\n    image: busybox\n',
		});
		assert.equal(yaml.statusCode, 201);
	});

	test('accepts protobuf and answers in JSON', async () => {
		const headers = { 'content-type': PROTOBUF, accept: `${PROTOBUF},application/json` };
		const metadata = delimitedField(1, delimitedField(1, 'p'));
		const container = [...delimitedField(1, 'main'), ...delimitedField(2, 'busybox')];
		const pod = [...metadata, ...delimitedField(2, delimitedField(2, container))];
		const made = await send(listener, 'POST', PODS, { headers, body: enveloped('v1', 'Pod', pod) });
		assert.equal(made.statusCode, 201);
		assert.equal(made.headers['content-type'], 'application/json');
		const fromProtobuf = JSON.parse(await textOf(made));
		const fromJson = JSON.parse(
			await textOf(await send(listener, 'POST', PODS, { body: JSON.stringify(podNamed('q')) })),
		);
		assert.deepEqual(fromProtobuf, { ...fromJson, metadata: fromProtobuf.metadata });

		const preconditions = delimitedField(2, delimitedField(1, 'other'));
		const body = enveloped('batch/v1', 'DeleteOptions', preconditions);
		const refused = await jsonOf(await send(listener, 'DELETE', `${PODS}/p`, { headers, body }));
		assert.match(refused.message, /the UID in the precondition \(other\) does not match/);
	});

	test('rejects protobuf that it cannot decode, or of another kind', async () => {
		const headers = { 'content-type': PROTOBUF };
		const post = async (body: string | Uint8Array): Promise<Json> =>
			jsonOf(await send(listener, 'POST', PODS, { headers, body }));
		const rows: readonly (readonly [body: string | Uint8Array, message: string])[] = [
			[
				'k8s',
				'the object provided is unrecognized (must be of type Pod): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (6b3873)',
			],
			[
				enveloped('v1', 'Pod', [0x12, 9]),
				'Pod in version "v1" cannot be handled as a Pod: unexpected EOF for field spec',
			],
			[
				enveloped('v1', 'Node', []),
				'Node in version "v1" cannot be handled as a Pod: converting (v1.Node) to (v1.Pod): unknown conversion',
			],
			[
				enveloped('v2', 'Pod', []),
				'the API version in the data (v2) does not match the expected API version (v1)',
			],
		];
		for (const [body, message] of rows) {
			const { code, reason, message: said } = await post(body);
			assert.deepEqual({ code, reason, said }, { code: 400, reason: 'BadRequest', said: message });
		}
		const body = Buffer.alloc(3 * 1024 * 1024 + 1);
		assert.equal((await post(body)).code, 413);
	});

	test('rejects bodies that it cannot parse', async () => {
		const post = async (contentType: string, body: string): Promise<Json> =>
			jsonOf(await send(listener, 'POST', PODS, { headers: { 'content-type': contentType }, body }));
		const unknown = await post('text/plain', '{}');
		assert.equal(unknown.code, 415);
		assert.match(
			unknown.message,
			/application\/json, application\/yaml, application\/vnd\.kubernetes\.protobuf$/,
		);
		const broken = await post('application/json', '{"metadata":');
		assert.equal(broken.code, 400);
		assert.match(
			broken.message,
			/^the object provided is unrecognized \(must be of type Pod\): couldn't get version\/kind; json parse error: .* \(\{"metadata":\)$/,
		);
		assert.equal((await post('application/yaml', 'a: [')).code, 400);
		assert.match(
			(await post('application/yaml', 'a: *b')).message,
			/: yaml: unknown anchor 'b' referenced \(613a202a62\)$/,
		);
		const twice = '{"metadata":{"name":"p","name":"q"}}';
		const strict = await send(listener, 'POST', `${PODS}?fieldValidation=Strict`, { body: twice });
		assert.match((await jsonOf(strict)).message, /strict decoding error: duplicate field "metadata.name"$/);
		const patch = { headers: { 'content-type': 'application/merge-patch+json' }, body: '{' };
		assert.equal(
			(await jsonOf(await send(listener, 'PATCH', `${PODS}/p`, patch))).message,
			'invalid JSON patch',
		);
		assert.equal((await send(listener, 'OPTIONS', PODS)).statusCode, 405);
		assert.equal((await send(listener, 'GET', '/api/v1/pods/%zz')).statusCode, 404);
		assert.equal((await send(listener, 'GET', PODS, { headers: { accept: PROTOBUF } })).statusCode, 406);
	});

	test('rejects bodies beyond 3 MiB, with and without a content-length', async () => {
		const body = Buffer.alloc(3 * 1024 * 1024 + 1, 0x20);
		const announced = await send(listener, 'POST', PODS, { body });
		assert.equal(announced.statusCode, 413);
		assert.equal((await jsonOf(announced)).message, 'Request entity too large: limit is 3145728');
		const headers = { 'transfer-encoding': 'chunked' };
		const chunked = await send(listener, 'POST', PODS, { headers, body });
		assert.equal(chunked.statusCode, 413);
	});

	test('answers a client that is still sending a body that was rejected', async () => {
		// More than the buffers of the connection, so that the client is still sending when the response arrives.
		const body = Buffer.alloc(32 * 1024 * 1024, 0x20);
		const chunked = { 'transfer-encoding': 'chunked' };
		for (const headers of [
			{},
			chunked,
			{ 'content-type': 'text/plain' },
			{ authorization: 'Bearer wrong' },
		]) {
			const { statusCode = 0 } = await send(listener, 'POST', PODS, { headers, body });
			assert.ok([401, 413].includes(statusCode), String(statusCode));
		}
	});

	test('accepts large bodies in sequence on a connection and answers each completely', async () => {
		const metadata = { name: 'large', annotations: { text: 'x'.repeat(100_000) } };
		const headers = { authorization: `Bearer ${credentials.token}` };
		const asked = { body: { ...podNamed('large'), metadata }, headers, ca: credentials.caPem };
		// The client runs in a process of its own: in this one it is never faster than the server's clean-up.
		const program = `
			const { Agent, request } = require('node:https');
			const { url, body, headers, ca } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
			const agent = new Agent({ keepAlive: true, maxSockets: 1 });
			const post = () => new Promise((resolve) => {
				request(url, { agent, method: 'POST', ca, servername: 'localhost', headers }, (response) => {
					response.resume().on('end', () => resolve(String(response.statusCode)));
				}).on('error', (error) => resolve(error.code)).end(JSON.stringify(body));
			});
			(async () => {
				for (let i = 0; i < 40; i++) console.log(await post());
				agent.destroy();
			})();`;
		const child = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
		child.stdin.end(JSON.stringify({ ...asked, url: `${listener.url}${PODS}?dryRun=All` }));
		let answers = '';
		for await (const piece of child.stdout) answers += String(piece);
		assert.equal(answers, '201\n'.repeat(40));
	});

	test('reports no error for a client that disconnects while it is sending', async () => {
		const headers = { authorization: `Bearer ${credentials.token}`, 'content-length': 100 };
		const request = open(`${listener.url}${PODS}`, { method: 'POST', ca: credentials.caPem, headers });
		request.on('error', () => {});
		await new Promise<void>((resolve) => request.write('{', () => resolve()));
		request.destroy();
		// The server handles events in order, so an error would have been reported before this response.
		await textOf(await send(listener, 'GET', '/readyz'));
		await textOf(await send(listener, 'GET', '/readyz'));
		assert.deepEqual(opened.faults, []);
	});

	test('sends warnings in Warning headers', async () => {
		const body = JSON.stringify({ ...podNamed('p'), 'b"ä\\': 1 });
		const response = await send(listener, 'POST', PODS, { body });
		const warning = Buffer.from(response.headers.warning ?? '', 'latin1').toString();
		assert.equal(warning, '299 - "unknown field \\"b\\\\\\"ä\\\\\\\\\\""');
	});

	test('ends watches when it closes, and accepts no connections afterwards', async () => {
		const response = await send(listener, 'GET', `${PODS}?watch=true`);
		const ended = textOf(response);
		await listener.close();
		assert.equal(await ended, '');
		await assert.rejects(send(listener, 'GET', '/readyz'));
	});

	test('indents JSON for browsers and curl, and for clients that ask for it', async () => {
		const path = '/api/v1/namespaces/default';
		const textFor = async (url: string, headers: OutgoingHttpHeaders = {}): Promise<string> =>
			textOf(await send(listener, 'GET', url, { headers }));
		for (const agent of ['curl/8.0', 'Wget/1.21', 'Mozilla/5.0 (X11)']) {
			assert.match(await textFor(path, { 'user-agent': agent }), /^\{\n {2}"kind": "Namespace",\n/);
		}
		assert.match(await textFor(`${path}?pretty=true`), /^\{\n/);
		assert.match(await textFor(path, { accept: 'application/json;pretty=1' }), /^\{\n/);
		assert.match(await textFor('/api/v1/namespaces/none?pretty=1'), /^\{\n {2}"kind": "Status",\n/);
		assert.match(await textFor(`${path}?pretty=false`, { 'user-agent': 'curl/8.0' }), /^\{"kind"/);
		const list = await textFor('/api/v1/namespaces?pretty=1');
		assert.equal(list, `${JSON.stringify(JSON.parse(list), undefined, 2)}\n`);
	});

	test('answers HEAD where upstream does, without a body', async () => {
		for (const path of ['/readyz', '/metrics', '/openapi/v3', '/']) {
			const response = await send(listener, 'HEAD', path);
			assert.equal(response.statusCode, 200, path);
			assert.equal(await textOf(response), '');
		}
		for (const path of [
			'/api/v1/namespaces/default',
			PODS,
			`${PODS}?watch=1`,
			'/api',
			'/apis/batch/v1',
			'/version',
		]) {
			assert.equal((await send(listener, 'HEAD', path)).statusCode, 405, path);
		}
	});

	test('rejects a request with two Host headers', async () => {
		const socket = connectTls({ port: listener.port, host: '127.0.0.1', ca: credentials.caPem });
		socket.write('GET /readyz HTTP/1.1\r\nHost: localhost\r\nHost: example.com\r\n\r\n');
		const [head] = await once(socket.setEncoding('utf8'), 'data');
		assert.match(String(head), /^HTTP\/1\.1 400 /);
		socket.destroy();
	});

	test('accepts only ciphers with authenticated encryption', async () => {
		for (const [ciphers, taken] of [
			[
				'ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:AES128-SHA:AES256-SHA',
				false,
			],
			['AES128-GCM-SHA256', false],
			['ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256', true],
		] as const) {
			const { caPem: ca } = credentials;
			const socket = connectTls({
				port: listener.port,
				host: '127.0.0.1',
				ca,
				ciphers,
				maxVersion: 'TLSv1.2',
			});
			const outcome = await Promise.all([
				new Promise((resolve) =>
					socket.once('secureConnect', () => resolve(true)).once('error', () => resolve(false)),
				),
			]);
			assert.deepEqual(outcome, [taken], ciphers);
			socket.destroy();
		}
	});

	test('serves clients with a token, however many others connect without one', async () => {
		const small = await listenTo(opened, { mostConnections: 100 });
		const watching = await send(small, 'GET', `${PODS}?watch=true`);
		const idlers = Array.from({ length: 300 }, () => connectTcp(small.port, '127.0.0.1'));
		for (const idler of idlers) idler.on('error', () => {});
		// Some are closed in favour of others, in the order in which they were opened.
		await Promise.all(idlers.slice(0, 240).map((idler) => (idler.closed ? undefined : once(idler, 'close'))));
		assert.equal((await send(small, 'GET', PODS)).statusCode, 200);
		await opened.server.request({ method: 'POST', path: PODS, body: podNamed('p') });
		const [line] = await once(watching.setEncoding('utf8'), 'data');
		assert.match(String(line), /^\{"type":"ADDED"/);
		for (const idler of idlers) idler.destroy();
		watching.destroy();
		await small.close();
	});

	test('sends long lists in pieces', async () => {
		const annotations = { big: 'x'.repeat(200_000) };
		for (const name of ['a', 'b', 'c', 'd', 'e']) {
			await opened.server.request({ method: 'POST', path: PODS, body: podNamed(name, { annotations }) });
		}
		const { items } = await jsonOf(await send(listener, 'GET', PODS));
		assert.deepEqual(
			items.map(({ metadata }) => metadata.name),
			['a', 'b', 'c', 'd', 'e'],
		);
	});

	test('serves the metrics in Prometheus text format to clients with the token', async () => {
		assert.equal((await send(listener, 'GET', '/metrics', { token: null })).statusCode, 401);
		const { metrics } = opened;
		metrics.counter({ name: 'starts_total', help: 'Starts.' });
		metrics.include(async function* () {
			for (let piece = 0; piece < 5; piece++) yield `piece{text="${'x'.repeat(200_000)}"} ${piece}\n`;
		});
		const response = await send(listener, 'GET', '/metrics', {
			headers: { accept: 'text/plain;version=0.0.4' },
		});
		assert.equal(response.statusCode, 200);
		assert.equal(response.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
		assert.equal(await textOf(response), await metrics.text());
		assert.equal((await send(listener, 'POST', '/metrics')).statusCode, 404);
	});

	test('answers 304 for discovery and OpenAPI documents that clients have cached', async () => {
		const first = await send(listener, 'GET', '/apis');
		const { etag } = first.headers;
		await textOf(first);
		const again = await send(listener, 'GET', '/apis', { headers: { 'if-none-match': etag ?? '' } });
		assert.equal(again.statusCode, 304);
		const { paths } = await jsonOf(await send(listener, 'GET', '/openapi/v3'));
		const { serverRelativeURL = '' } = paths['apis/batch/v1'] ?? {};
		const document = await send(listener, 'GET', serverRelativeURL);
		assert.equal(document.headers['cache-control'], 'public, immutable');
		assert.equal((await jsonOf(document)).openapi, '3.0.0');
		const old = await send(listener, 'GET', '/openapi/v2');
		assert.equal(old.headers['content-type'], 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
		assert.equal(await textOf(old), '');
	});
});
