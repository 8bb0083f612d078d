import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { digestOf } from '../digest.ts';
import type { Descriptor } from '../manifests/document.ts';
import { MEDIA_TYPES } from '../manifests/media-types.ts';
import { makeCertificate } from '../testing/certificate.ts';
import { errors, RegistryDouble, reply } from '../testing/registry-double.ts';
import { allOf, credentialsFor, RegistryWorld } from '../testing/registry-world.ts';
import { testImage } from '../testing/test-image.ts';
import type { Repository } from './repository.ts';

const CONTENT = Buffer.from(Array.from({ length: 200_000 }, (_, at) => at % 251));
const BLOB: Descriptor = {
	mediaType: MEDIA_TYPES.layer,
	digest: digestOf(CONTENT),
	size: CONTENT.byteLength,
};

let double: RegistryDouble;
let world: RegistryWorld;
let repository: Repository;

beforeEach(async () => {
	double = await RegistryDouble.start();
	double.blobs.set(BLOB.digest, CONTENT);
	world = new RegistryWorld();
	repository = await world.repository(`${double.host}/app:1`);
});
afterEach(async () => {
	world.registry.close();
	await double.stop();
});

describe('blobs', () => {
	test('a transfer that breaks is continued where it ended, and nothing is yielded twice', async () => {
		let breaks = 0;
		double.fault = ({ headers }, response) => {
			if (breaks++ >= 3) return false;
			const from = Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
			if (from > 0) response.setHeader('Content-Range', `bytes ${from}-199999/200000`);
			response.writeHead(from > 0 ? 206 : 200, { 'Content-Length': CONTENT.byteLength - from });
			response.write(CONTENT.subarray(from, from + 50_000), () => response.destroy());
			return true;
		};
		assert.deepEqual(await allOf(repository.blob(BLOB)), CONTENT);
		const ranges = double.requests.map(({ headers }) => headers.range);
		assert.equal(ranges.length, 4);
		assert.equal(ranges[0], undefined);
		assert.deepEqual(world.clock.delays, [500, 500, 500]);
	});

	test('a registry that ignores the range sends the beginning once more, which is skipped', async () => {
		double.fault = (_, response) => {
			response.writeHead(200, { 'Content-Length': CONTENT.byteLength });
			if (double.requests.length > 1) response.end(CONTENT);
			else response.write(CONTENT.subarray(0, 70_000), () => response.destroy());
			return true;
		};
		assert.deepEqual(await allOf(repository.blob(BLOB)), CONTENT);
		assert.equal(double.requests.length, 2);
	});

	test('an answer to another range than asked for is refused', async () => {
		double.fault = (_, response) => {
			if (double.requests.length > 1) response.setHeader('Content-Range', 'bytes 5-199999/200000');
			response.writeHead(double.requests.length > 1 ? 206 : 200, { 'Content-Length': CONTENT.byteLength });
			response.write(CONTENT.subarray(0, 70_000), () => response.destroy());
			return true;
		};
		const error = await world.failure(allOf(repository.blob(BLOB)));
		assert.match(error.message, /unhandled content range in response: 5$/);
	});

	test('a body that ends too early without an error is continued, too', async () => {
		double.fault = (_, response) => {
			if (double.requests.length > 1) return false;
			// Without a length, the end of the connection is the end of the body.
			response.useChunkedEncodingByDefault = false;
			response.setHeader('Connection', 'close');
			response.end(CONTENT.subarray(0, 1000));
			return true;
		};
		assert.deepEqual(await allOf(repository.blob(BLOB)), CONTENT);
	});

	test('a transfer without progress is given up, with the reason', async () => {
		double.fault = (_, response) => {
			response.writeHead(200, { 'Content-Length': CONTENT.byteLength });
			response.write('x', () => response.destroy());
			return true;
		};
		const wrong = { ...BLOB, digest: digestOf('y') };
		double.blobs.set(wrong.digest, CONTENT);
		const error = await world.failure(allOf(repository.blob(wrong)));
		assert.match(error.message, /^failed to copy: failed to do request: Get "http:.*": unexpected EOF$/);
		assert.deepEqual(world.clock.delays, [500, 1000, 2000]);
	});

	test('a body that stalls is given up after the maximum time, and continued', async () => {
		double.fault = (_, response) => {
			if (double.requests.length > 1) return false;
			response.writeHead(200, { 'Content-Length': CONTENT.byteLength });
			response.write(CONTENT.subarray(0, 1000));
			return true;
		};
		const pieces = repository.blob(BLOB);
		const read: Uint8Array[] = [(await pieces.next()).value ?? new Uint8Array()];
		const next = pieces.next();
		// The reader waits for the second piece, under a timeout, as soon as the event loop has turned.
		await new Promise((resolve) => setImmediate(resolve));
		world.clock.expire();
		read.push((await next).value ?? new Uint8Array());
		for await (const piece of pieces) read.push(piece);
		assert.deepEqual(Buffer.concat(read), CONTENT);
	});

	test('other content than promised is refused, by digest, and before that by size', async () => {
		const cases: readonly (readonly [Uint8Array, RegExp])[] = [
			[
				Buffer.alloc(BLOB.size),
				/"layer-sha256:\w+": unexpected commit digest sha256:\w+, expected sha256:\w+: failed precondition$/,
			],
			[CONTENT.subarray(1), /failed size validation: 199999 != 200000: failed precondition$/],
			[Buffer.concat([CONTENT, CONTENT]), /failed size validation: 400000 != 200000: failed precondition$/],
		];
		for (const [content, message] of cases) {
			double.blobs.set(BLOB.digest, content);
			const error = await world.failure(allOf(repository.blob(BLOB)));
			assert.equal(error.kind, 'corrupt');
			assert.match(error.message, message);
		}
		double.fault = (_, response) => {
			for (let sent = 0; sent < 3; sent += 1) response.write(CONTENT);
			response.end();
			return true;
		};
		assert.match(
			(await world.failure(allOf(repository.blob(BLOB)))).message,
			/failed size validation: 2\d+ != 200000/,
		);
		assert.deepEqual(world.clock.delays, []);
	});

	test('compressed answers are refused, since they were not asked for', async () => {
		double.fault = (_, response) => {
			response.setHeader('Content-Encoding', 'br');
			response.end('x');
			return true;
		};
		const error = await world.failure(allOf(repository.blob(BLOB)));
		assert.match(error.message, /unsupported Content-Encoding algorithm: br$/);
	});

	test('however a transfer is cut, the content is whole or the reading fails', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(fc.nat(CONTENT.byteLength), { maxLength: 6 }), async (cuts) => {
				const left = [...cuts];
				double.fault = ({ headers }, response) => {
					const cut = left.shift();
					if (cut === undefined) return false;
					const from = Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
					if (from > 0) response.setHeader('Content-Range', `bytes ${from}-199999/200000`);
					response.writeHead(from > 0 ? 206 : 200, { 'Content-Length': CONTENT.byteLength - from });
					response.write(CONTENT.subarray(from, from + cut), () => response.destroy());
					return true;
				};
				const read = await allOf(repository.blob(BLOB)).catch(() => undefined);
				assert.ok(read === undefined || read.equals(CONTENT));
				if (cuts.length < 3) assert.ok(read);
			}),
			{ numRuns: 30 },
		);
	});

	test('an aborted transfer ends with the reason of its signal', async () => {
		const controller = new AbortController();
		double.fault = (_, response) => {
			response.writeHead(200, { 'Content-Length': CONTENT.byteLength });
			response.write('x');
			return true;
		};
		const pieces = repository.blob(BLOB, controller.signal);
		await pieces.next();
		const next = pieces.next();
		controller.abort(new Error('enough'));
		await assert.rejects(next, { message: 'enough' });
	});

	test('a foreign layer is fetched from its own address if the registry lacks it, without credentials', async () => {
		const elsewhere = await RegistryDouble.start();
		elsewhere.blobs.set(BLOB.digest, CONTENT);
		double.blobs.clear();
		double.auth = { kind: 'basic', user: 'u', password: 'p' };
		const knowing = new RegistryWorld({ credentials: credentialsFor({ username: 'u', password: 'p' }) });
		try {
			const mediaType = 'application/vnd.oci.image.layer.nondistributable.v1.tar';
			const urls = [`http://${elsewhere.host}/v2/x/blobs/${BLOB.digest}`];
			const known = await knowing.repository(`${double.host}/app:1`);
			assert.deepEqual(await allOf(known.blob({ ...BLOB, mediaType, urls })), CONTENT);
			assert.deepEqual(
				elsewhere.requests.map(({ headers }) => headers.authorization),
				[undefined],
			);
			// An ordinary layer has no other address.
			const error = await world.failure(allOf(known.blob({ ...BLOB, urls })));
			assert.match(error.message, /could not fetch content descriptor .* from remote: not found$/);
		} finally {
			knowing.registry.close();
			await elsewhere.stop();
		}
	});
});

describe('overload', () => {
	test('is retried with back-off, and as late as the registry wants', async () => {
		double.add('app', '1', testImage());
		double.fault = (_, response) => {
			const { length } = double.requests;
			if (length > 2) return false;
			if (length === 1) response.setHeader('Retry-After', '7');
			reply(response, length === 1 ? 429 : 503, '');
			return true;
		};
		await repository.resolve();
		const [first = 0, second = 0] = world.clock.delays;
		assert.ok(first >= 7000 && first < 12_000, String(first));
		assert.ok(second >= 750 && second <= 1250, String(second));
	});

	test('a rate limit is reported with the words of the registry, and how to raise it', async () => {
		double.fault = (_, response) => {
			response.setHeader('Retry-After', '3600');
			reply(response, 429, errors('TOOMANYREQUESTS', 'You have reached your pull rate limit.'));
			return true;
		};
		const error = await world.failure(allOf(repository.blob(BLOB)));
		assert.equal(error.kind, 'rate-limited');
		assert.equal(error.failure.retryAfterMs, 3_600_000);
		assert.match(
			error.message,
			/unexpected status from GET request to http:\S+: 429 Too Many Requests\ntoomanyrequests: You have reached your pull rate limit\.$/,
		);
		assert.match(error.hint ?? '', /docker login.*registries\.yaml/);
		assert.deepEqual(world.clock.delays, []);
		assert.equal(double.requests.length, 1);
	});

	test('plain HTTP on a port with TLS is recognized', async () => {
		double.fault = (_, response) => {
			response.writeHead(400, { 'Content-Type': 'text/plain' });
			response.end('Client sent an HTTP request to an HTTPS server.\n');
			return true;
		};
		const error = await world.failure(allOf(repository.blob(BLOB)));
		assert.equal(
			error.hint,
			`${double.host} speaks HTTPS: name it with https:// as an endpoint of its own mirror.`,
		);
	});

	test('an error that stays is reported after three attempts', async () => {
		double.fault = (_, response) => {
			reply(response, 502, '<html>');
			return true;
		};
		const error = await world.failure(repository.resolve());
		assert.match(error.message, /^unexpected status from HEAD request to http:\S+: 502 Bad Gateway$/);
		assert.equal(double.requests.length, 3);
	});

	test('a registry that does not answer is given up after the maximum time', async () => {
		double.fault = () => true;
		const error = await world.expiring(world.failure(repository.resolve()));
		assert.equal(world.clock.delays.length, 2);
		assert.equal(error.kind, 'timed-out');
		assert.match(
			error.message,
			/^failed to do request: Head "http:\S+": net\/http: timeout awaiting response headers$/,
		);
	});
});

describe('redirects', () => {
	test('to another host lose the credentials', async () => {
		const cdn = await RegistryDouble.start();
		cdn.blobs.set(BLOB.digest, CONTENT);
		double.auth = { kind: 'basic', user: 'u', password: 'p' };
		double.fault = ({ url, headers }, response) => {
			if (!url.includes('/blobs/') || !headers.authorization) return false;
			response.writeHead(307, {
				Location: `http://user:pw@${cdn.host}/v2/cdn/blobs/${BLOB.digest}?X-Signature=s3cret`,
			});
			response.end();
			return true;
		};
		const knowing = new RegistryWorld({ credentials: credentialsFor({ username: 'u', password: 'p' }) });
		try {
			const known = await knowing.repository(`${double.host}/app:1`);
			assert.deepEqual(await allOf(known.blob(BLOB)), CONTENT);
			assert.deepEqual(
				cdn.requests.map(({ headers }) => headers.authorization),
				[undefined],
			);
			// The signature of the address is a secret.
			cdn.blobs.clear();
			const error = await world.failure(allOf(known.blob(BLOB)));
			assert.doesNotMatch(error.message + error.hint, /s3cret|pw@/);
		} finally {
			knowing.registry.close();
			await cdn.stop();
		}
	});

	test('to another host lose the trust in the authority of the registry', async (t) => {
		const certificate = makeCertificate('localhost');
		if (!certificate) return t.skip('openssl is not installed');
		const [registry, cdn] = [
			await RegistryDouble.start(certificate),
			await RegistryDouble.start(certificate),
		];
		t.after(() => Promise.all([registry.stop(), cdn.stop()]));
		registry.fault = (_, response) => {
			response.writeHead(307, { Location: `https://localhost:${cdn.port}/` });
			response.end();
			return true;
		};
		const host = `localhost:${registry.port}`;
		const hosts = new Map([[host, { tls: { ca: certificate.cert } }]]);
		const trusting = new RegistryWorld({ endpoints: { config: { mirrors: new Map(), hosts } } });
		t.after(() => trusting.registry.close());
		const error = await world.failure((await trusting.repository(`${host}/app:1`)).resolve());
		assert.match(
			error.message,
			new RegExp(`"https://localhost:${cdn.port}/": tls: .*signed by unknown authority$`),
		);
		assert.equal(registry.requests.length, 1);
	});

	test('in a circle end', async () => {
		double.fault = ({ url }, response) => {
			response.writeHead(302, { Location: url });
			response.end();
			return true;
		};
		const error = await world.failure(repository.resolve());
		assert.match(error.message, /: stopped after 10 redirects$/);
		assert.equal(double.requests.length, 11);
	});

	test('to addresses that serve credentials of machines, and to plain HTTP elsewhere, are refused', async () => {
		const targets: Readonly<Record<string, RegExp>> = {
			'https://169.254.169.254/latest/meta-data': /169\.254\.169\.254 refused: link-local and metadata/,
			'https://[fd00:ec2::254]/': /refused: link-local and metadata/,
			'https://2852039166/': /169\.254\.169\.254 refused/,
			'http://192.0.2.1/': /refused: plain HTTP is not allowed to this host/,
			'file:///etc/passwd': /refused: the protocol is not HTTP/,
		};
		for (const [target, message] of Object.entries(targets)) {
			double.fault = (_, response) => {
				response.writeHead(302, { Location: target });
				response.end();
				return true;
			};
			const error = await world.failure(repository.resolve());
			assert.equal(error.kind, 'refused', target);
			assert.match(error.message, message);
		}
	});
});

describe('tags and deletion', () => {
	test('tags are read page by page', async () => {
		for (const tag of ['1', '2', '3', '4', '5']) double.add('app', tag, testImage());
		assert.deepEqual(await repository.tags(), ['1', '2', '3', '4', '5']);
		const error = await world.failure((await world.repository('127.0.0.1:1/app')).tags());
		assert.match(error.message, /dial tcp 127\.0\.0\.1:1: connect: connection refused$/);
		assert.equal(error.hint, 'Nothing listens at 127.0.0.1:1. Is the registry running?');
	});

	test('a manifest is deleted by its digest', async () => {
		const { manifest } = testImage();
		double.add('app', '1', testImage());
		await repository.deleteManifest(manifest.digest);
		const error = await world.failure(repository.deleteManifest(manifest.digest));
		assert.equal(error.kind, 'not-found');
	});
});
