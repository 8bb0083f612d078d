import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { basic, RegistryDouble, reply } from '../../testing/registry-double.ts';
import { RetryClock } from '../../testing/retry-clock.ts';
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

describe('bodies', () => {
	test('are sent again and again, and an early answer ends the upload', async () => {
		const double = await RegistryDouble.start();
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
		await double.stop();
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

	test('that cannot be read fail the request', async () => {
		const double = await RegistryDouble.start();
		async function* body(): AsyncGenerator<Uint8Array> {
			yield Buffer.from('abc');
			throw new Error('the disk is broken');
		}
		await assert.rejects(send(`http://${double.host}/x`, { method: 'PUT', body }), {
			message: /the disk is broken$/,
		});
		await double.stop();
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
		const double = await RegistryDouble.start(certificate);
		double.fault = (_, response) => {
			reply(response, 200, 'ok');
			return true;
		};
		const env = { HTTPS_PROXY: `http://${address}` };
		const url = `https://registry.example:${double.port}/v2/`;
		const answer = await send(url, { env, tls: { ca: certificate.cert } });
		assert.equal(answer.status, 200);
		assert.equal(seen.pop()?.line, `CONNECT registry.example:${double.port}`);
		await double.stop();
	});
});

describe('TLS', () => {
	test('a certificate must be of a trusted authority and for the host', async (t) => {
		const certificate = makeCertificate('localhost');
		if (!certificate) return t.skip('openssl is not installed');
		const double = await RegistryDouble.start(certificate);
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
		await double.stop();
	});

	test('a registry that wants a certificate of the client gets it', async (t) => {
		const certificate = makeCertificate('localhost');
		if (!certificate) return t.skip('openssl is not installed');
		const { cert, key } = certificate;
		const double = await RegistryDouble.start({
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
		await double.stop();
	});
});

/** A self-signed certificate; undefined if openssl is not installed. */
function makeCertificate(name: string): { readonly cert: string; readonly key: string } | undefined {
	if (spawnSync('openssl', ['version']).error) return undefined;
	const folder = mkdtempSync(join(tmpdir(), 'stint-registry-tls-'));
	const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
	const request = [
		'req',
		'-x509',
		'-newkey',
		'ec',
		'-pkeyopt',
		'ec_paramgen_curve:prime256v1',
		'-nodes',
		'-days',
		'2',
	];
	const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
	execFileSync('openssl', [...request, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
	const read = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
	rmSync(folder, { recursive: true });
	return read;
}
