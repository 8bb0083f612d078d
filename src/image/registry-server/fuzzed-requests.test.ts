import assert from 'node:assert/strict';
import { type RequestOptions, request } from 'node:http';
import { test } from 'node:test';
import { SeededRandom } from '../../base/testing/seeded-random.ts';
import { digestOf } from '../digest.ts';
import { MEDIA_TYPES } from '../manifests/media-types.ts';
import { openRegistry } from '../testing/test-registry.ts';
import { openTestStore } from '../testing/test-store.ts';

const SEED = 4711;
const REQUESTS = 1500;

const DIGEST = digestOf('x');
const PARTS = [
	...[
		'app',
		'team/app',
		'a'.repeat(300),
		'..',
		'%00',
		'UP',
		'_catalog',
		'blobs',
		'uploads',
		'manifests',
		'tags',
		'list',
	],
	...['referrers', DIGEST, 'sha256:x', `sha512:${'0'.repeat(128)}`, 'latest', '', '%ff', '%2e%2e', '{}', '1'],
];
const QUERIES = [
	'',
	`?digest=${DIGEST}`,
	'?digest=x',
	`?mount=${DIGEST}&from=app`,
	'?n=1&last=a',
	'?n=x',
	'?%zz=%',
];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'];
const BODIES = [
	...['', 'x', '{', '[]', '{"schemaVersion":2}', '{"manifests":[null]}', `{"a":${'['.repeat(5000)}`],
	...[`{"schemaVersion":2,"config":{"mediaType":"a","digest":"${DIGEST}","size":1},"layers":[]}`],
	...[`{"schemaVersion":2,"manifests":[{"mediaType":"a","digest":"${DIGEST}","size":-1}]}`],
];
const RANGES = [
	'bytes=0-',
	'bytes=9-1',
	'bytes=-',
	'bytes=-0',
	'0-0',
	'5-1',
	'x',
	`bytes=${'9'.repeat(400)}-`,
];

test('no request gets a 500, and the registry serves afterwards', async (t) => {
	const store = await openTestStore(t);
	const { port } = await openRegistry(t, store);
	const random = new SeededRandom(SEED);
	const one = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)] as T;
	for (let i = 0; i < REQUESTS; i += 1) {
		const path = `/v2/${Array.from({ length: 1 + Math.floor(random.next() * 5) }, () => one(PARTS)).join('/')}${one(QUERIES)}`;
		const headers: Record<string, string> = { Host: `localhost:${port}` };
		if (random.next() < 0.3) headers.Range = one(RANGES);
		if (random.next() < 0.3) headers['Content-Range'] = one(RANGES);
		if (random.next() < 0.5) headers['Content-Type'] = one([...Object.values(MEDIA_TYPES), 'x', ';']);
		const method = one(METHODS);
		const status = await statusOf({ port, path, method, headers }, one(BODIES));
		assert.ok(status < 500, `request ${i} of seed ${SEED}: ${method} ${path}: ${status}`);
	}
	assert.equal(await statusOf({ port, path: '/v2/', method: 'GET', headers: {} }, ''), 200);
});

function statusOf(options: RequestOptions, body: string): Promise<number> {
	return new Promise((resolve, reject) => {
		const sending = request({ host: '127.0.0.1', ...options }, (answer) => {
			answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
		});
		sending.on('error', reject);
		sending.end(body);
	});
}
