import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Query } from '../query.ts';
import { health, isPublic } from './health.ts';

test('a server is healthy as long as it follows its store', () => {
	const ask = (path: string, failure?: Error): unknown => {
		const answer = health(path, new Query(), failure);
		return answer && [answer.code, answer.object()];
	};
	assert.deepEqual(ask('/readyz'), [200, 'ok']);
	assert.deepEqual(ask('/livez/ping'), [200, 'ok']);
	assert.deepEqual(ask('/readyz', new Error('gone')), [
		500,
		'[+]ping ok\n[-]store failed\nreadyz check failed\n',
	]);
	assert.deepEqual(ask('/readyz/ping', new Error('gone')), [200, 'ok']);
	assert.equal(ask('/readyz/nothing'), undefined);
	assert.equal(ask('/elsewhere'), undefined);
});

test('a verbose request lists each check', () => {
	const answer = health('/readyz', new Query({ verbose: '' }), undefined);
	assert.equal(answer?.object(), '[+]ping ok\n[+]store ok\nreadyz check passed\n');
});

test('health and version paths are public, and no others', () => {
	for (const path of ['/healthz', '/livez', '/readyz', '/readyz/', '/version'])
		assert.ok(isPublic(path), path);
	for (const path of ['/', '/api', '/readyz/ping', '/versions', '/readyz/../api'])
		assert.ok(!isPublic(path), path);
});
