import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import http from 'node:http';
import type { ServerOptions } from 'node:https';
import { connect, createServer } from 'node:net';
import { hostname } from 'node:os';
import { after, before, describe, type TestContext, test } from 'node:test';
import { makeCertificate } from '../../testing/certificate.ts';
import { basic, RegistryDouble, reply } from '../../testing/registry-double.ts';
import { RetryClock } from '../../testing/retry-clock.ts';
import { isLoopbackAddress } from './addresses.ts';
import type { TlsSettings } from './agents.ts';
import { HttpClient, type HttpRequest, type RegistryAnswer } from './http-client.ts';
import type { Environment } from './proxy.ts';

const clock = new RetryClock();

async function withClient<T>(env: Environment, act: (client: HttpClient) => Promise<T>): Promise<T> {
	const client = new HttpClient({ clock, env });
	try {
		return await act(client);
	} finally {
		client.close();
	}
}

function send(
	url: string,
	more: Partial<HttpRequest> & { readonly env?: Environment } = {},
): Promise<RegistryAnswer> {
	const { env = {}, ...request } = more;
	return withClient(env, async (client) => {
		const answer = await client.send({
			method: 'GET',
			url: new URL(url),
			headers: {},
			allowLoopback: true,
			...request,
		});
		await answer.read(1000);
		return answer;
	});
}

describe('connections that fail are reported in the words of Go', () => {
	test('a name that does not exist, a closed port, and an answer that is no HTTP', async () => {
		await assert.rejects(send('https://registry.invalid/v2/'), {
			message:
				/^failed to do request: Get "https:\/\/registry\.invalid\/v2\/": dial tcp: lookup registry\.invalid: (no such host|Temporary failure in name resolution)$/,
			kind: 'unreachable',
		});
		await assert.rejects(send('http://127.0.0.1:1/v2/?token=s3cret'), {
			message:
				'failed to do request: Get "http://127.0.0.1:1/v2/?token=REDACTED": dial tcp 127.0.0.1:1: connect: connection refused',
		});
		const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		const address = server.address();
		const port = typeof address === 'object' ? address?.port : 0;
		await assert.rejects(send(`http://127.0.0.1:${port}/`), { message: /malformed HTTP response$/ });
		await assert.rejects(send(`https://127.0.0.1:${port}/`), {
			message: /: http: server gave HTTP response to HTTPS client$/,
			kind: 'unreachable',
		});
		server.close();
	});

	test('addresses of metadata services are refused, by number and by name', async () => {
		for (const host of ['169.254.169.254', '[::ffff:169.254.169.254]', '[fd00:ec2::254]', '100.100.100.200'])
			await assert.rejects(send(`http://${host}/`), {
				kind: 'refused',
				message: /metadata addresses are no registries/,
			});
		await assert.rejects(send('http://localhost:1/', { allowLoopback: false }), {
			message: /request to localhost refused: a remote registry must not send requests to this machine$/,
		});
	});

	test('a server that never accepts the TLS handshake is given up', async () => {
		const server = createServer(() => undefined);
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		const address = server.address();
		const port = typeof address === 'object' ? address?.port : 0;
		let isSettled = false;
		const failure = assert
			.rejects(send(`https://127.0.0.1:${port}/`), {
				message: /net\/http: TLS handshake timeout$/,
				kind: 'timed-out',
			})
			.finally(() => {
				isSettled = true;
			});
		await new Promise((resolve) => server.once('connection', resolve));
		while (!isSettled) {
			await new Promise((resolve) => setImmediate(resolve));
			clock.expire();
		}
		await failure;
		server.close();
	});
});

describe('connections', () => {
	test('are kept for later requests, and replaced if the server closed them meanwhile', async (t) => {
		const double = await startDouble(t);
		const ports: (number | undefined)[] = [];
		double.fault = (_, response, incoming) => {
			ports.push(incoming.socket.remotePort);
			// The third request finds its connection closed.
			if (ports.length === 3) incoming.socket.resetAndDestroy();
			else reply(response, 200, 'x'.repeat(1000));
			return true;
		};
		const request = {
			method: 'GET',
			url: new URL(`http://${double.host}/`),
			headers: {},
			allowLoopback: true,
		};
		await withClient({}, async (client) => {
			for (let sent = 0; sent < 3; sent += 1) await (await client.send(request)).read(2000);
		});
		const [first, second, third, fourth] = ports;
		assert.deepEqual([second, third], [first, first]);
		assert.notEqual(fourth, first);
		assert.equal(ports.length, 4);
	});

	test('to names are made only if all their addresses are safe', async (t) => {
		const name = hostname();
		const addresses = await lookup(name, { all: true }).catch(() => []);
		const isLocal = addresses.length > 0 && addresses.every(({ address }) => isLoopbackAddress(address));
		if (!isLocal) return t.skip('the name of this machine does not resolve to its loopback interface');
		const double = await startDouble(t);
		double.fault = (_, response) => {
			reply(response, 200, '');
			return true;
		};
		const url = `http://${name}:${double.port}/`;
		await assert.rejects(send(url, { allowLoopback: false }), {
			message:
				/request to 127\.\d+\.\d+\.\d+ refused: a remote registry must not send requests to this machine$/,
			kind: 'refused',
		});
		assert.equal(double.requests.length, 0);
		if (addresses.some(({ address }) => address === '127.0.0.1')) assert.equal((await send(url)).status, 200);
	});
});

describe('bodies', () => {
	test('are sent again and again, and an early answer ends the upload', async (t) => {
		const double = await startDouble(t);
		let pieces = 0;
		double.fault = (_, response) => {
			reply(response, 200, '');
			return true;
		};
		async function* body(): AsyncGenerator<Uint8Array> {
			for (; pieces < 3; pieces += 1) yield Buffer.from('abc');
		}
		await send(`http://${double.host}/x`, { method: 'PUT', body, bodyBytes: 9 });
		assert.equal(double.requests[0]?.body, 'abcabcabc');
		assert.equal(double.requests[0]?.headers['content-length'], '9');
		// This server refuses before it has read the body.
		const server = http.createServer((_, response) => response.writeHead(413).end('too large'));
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		const address = server.address();
		const port = typeof address === 'object' ? address?.port : 0;
		async function* endless(): AsyncGenerator<Uint8Array> {
			for (;;) {
				yield Buffer.alloc(64 * 1024);
				await new Promise((resolve) => setImmediate(resolve));
			}
		}
		const answer = await send(`http://127.0.0.1:${port}/x`, { method: 'PUT', body: endless });
		assert.equal(answer.status, 413);
		server.closeAllConnections();
		server.close();
	});

	test('of many pieces need no more listeners than those of few', async (t) => {
		const double = await startDouble(t);
		double.fault = (_, response) => {
			reply(response, 200, '');
			return true;
		};
		const warnings: string[] = [];
		const warn = ({ message }: Error): unknown => warnings.push(message);
		process.on('warning', warn);
		t.after(() => process.off('warning', warn));
		async function* body(): AsyncGenerator<Uint8Array> {
			for (let pieces = 0; pieces < 50; pieces += 1) yield Buffer.alloc(128 * 1024);
		}
		await send(`http://${double.host}/x`, { method: 'PUT', body });
		await new Promise((resolve) => setImmediate(resolve));
		assert.deepEqual(warnings, []);
	});

	test('that cannot be read fail the request', async (t) => {
		const double = await startDouble(t);
		async function* body(): AsyncGenerator<Uint8Array> {
			yield Buffer.from('abc');
			throw new Error('the disk is broken');
		}
		await assert.rejects(send(`http://${double.host}/x`, { method: 'PUT', body }), {
			message: /the disk is broken$/,
		});
	});
});

describe('proxies', () => {
	let proxy: http.Server;
	let address = '';
	const seen: { readonly line: string; readonly headers: http.IncomingHttpHeaders }[] = [];
	before(async () => {
		proxy = http.createServer((request, response) => {
			seen.push({ line: `${request.method} ${request.url}`, headers: request.headers });
			response.end('by proxy');
		});
		proxy.on('connect', (request, client) => {
			seen.push({ line: `CONNECT ${request.url}`, headers: request.headers });
			if (request.url?.startsWith('refused')) {
				client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
				return;
			}
			const port = Number(/:(\d+)$/.exec(request.url ?? '')?.[1]);
			const upstream = connect(port, '127.0.0.1', () => {
				client.write('HTTP/1.1 200 OK\r\n\r\n');
				upstream.pipe(client).pipe(upstream);
			});
			client.on('error', () => upstream.destroy());
			upstream.on('error', () => client.destroy());
		});
		await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
		const found = proxy.address();
		address = `u:p%40w@127.0.0.1:${typeof found === 'object' ? found?.port : 0}`;
	});
	after(() => {
		proxy.closeAllConnections();
		proxy.close();
	});

	test('plain requests name the whole URL, and authorize at the proxy', async () => {
		const answer = await send('http://registry.example/v2/?n=1', { env: { http_proxy: address } });
		assert.equal(answer.status, 200);
		const { line, headers } = seen.pop() ?? { line: '', headers: {} };
		assert.equal(line, 'GET http://registry.example/v2/?n=1');
		assert.equal(headers.host, 'registry.example');
		assert.equal(headers['proxy-authorization'], basic('u', 'p@w'));
	});

	test('secure requests go through a tunnel, whose refusal is reported without the password', async () => {
		const env = { HTTPS_PROXY: `http://${address}`, NO_PROXY: 'direct.example' };
		await assert.rejects(send('https://refused.example/v2/', { env }), (error: Error) => {
			assert.match(
				error.message,
				/^failed to do request: Get "https:\/\/refused\.example\/v2\/": proxyconnect tcp: Forbidden$/,
			);
			return true;
		});
		assert.equal(seen.pop()?.line, 'CONNECT refused.example:443');
	});

	test('TLS is spoken with the registry, not with the proxy', async (t) => {
		const certificate = makeCertificate('registry.example');
		if (!certificate) return t.skip('openssl is not installed');
		const double = await startDouble(t, certificate);
		double.fault = (_, response) => {
			reply(response, 200, 'ok');
			return true;
		};
		const env = { HTTPS_PROXY: `http://${address}` };
		const url = `https://registry.example:${double.port}/v2/`;
		const answer = await send(url, { env, tls: { ca: certificate.cert } });
		assert.equal(answer.status, 200);
		assert.equal(seen.pop()?.line, `CONNECT registry.example:${double.port}`);
	});
});

describe('TLS', () => {
	test('a certificate must be of a trusted authority and for the host', async (t) => {
		const certificate = makeCertificate('localhost');
		if (!certificate) return t.skip('openssl is not installed');
		const double = await startDouble(t, certificate);
		double.fault = (_, response) => {
			reply(response, 200, 'ok');
			return true;
		};
		const url = `https://localhost:${double.port}/v2/`;
		const status = async (tls?: TlsSettings): Promise<number> => (await send(url, tls && { tls })).status;
		await assert.rejects(status(), {
			message: /: tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
		});
		assert.equal(double.requests.length, 0);
		assert.equal(await status({ ca: certificate.cert }), 200);
		assert.equal(await status({ insecureSkipVerify: true }), 200);
		await assert.rejects(send(`https://127.0.0.1:${double.port}/`, { tls: { ca: certificate.cert } }), {
			message: /x509: certificate is not valid for 127\.0\.0\.1$/,
		});
	});

	test('a registry that wants a certificate of the client gets it', async (t) => {
		const certificate = makeCertificate('localhost');
		if (!certificate) return t.skip('openssl is not installed');
		const { cert, key } = certificate;
		const double = await startDouble(t, {
			cert,
			key,
			ca: cert,
			requestCert: true,
			rejectUnauthorized: true,
		});
		double.fault = (_, response) => {
			reply(response, 200, 'ok');
			return true;
		};
		const url = `https://localhost:${double.port}/v2/`;
		assert.equal((await send(url, { tls: { ca: cert, cert, key } })).status, 200);
		await assert.rejects(send(url, { tls: { ca: cert } }));
	});
});

/** A registry that stops with the test. */
async function startDouble(t: TestContext, tls?: ServerOptions): Promise<RegistryDouble> {
	const double = await RegistryDouble.start(tls);
	t.after(() => double.stop());
	return double;
}
