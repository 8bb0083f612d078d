import assert from 'node:assert/strict';
import test from 'node:test';
import { isApiError } from '../api/meta/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import { checkSize } from './object-size.ts';

const MOST_BYTES = 1.5 * 1024 * 1024;

/** An object with so many values, of which the four of the object itself are some. */
function objectOf(values: number): KubeObject {
	const labels = Object.fromEntries(Array.from({ length: values - 4 }, (_, index) => [`k${index}`, 'v']));
	return { apiVersion: 'v1', kind: 'Pod', metadata: { labels } };
}

function refusal(object: KubeObject, bytes: number, before?: number): string | undefined {
	try {
		checkSize(object, new Uint8Array(bytes), before);
		return undefined;
	} catch (error) {
		assert.ok(isApiError(error, 'RequestEntityTooLarge'));
		return error.message;
	}
}

test('an object may take 1.5 MiB, and have 20,000 values', () => {
	assert.equal(refusal(objectOf(10), MOST_BYTES), undefined);
	assert.equal(
		refusal(objectOf(10), MOST_BYTES + 1),
		'Request entity too large: limit is 1572864, the object takes 1572865 bytes',
	);
	assert.equal(refusal(objectOf(20_000), 300_000), undefined);
	assert.match(refusal(objectOf(20_001), 300_000) ?? '', /: more than 20000 values, with those/);
});

test('one that is too large already may change as long as it does not grow', () => {
	const object = objectOf(30_000);
	assert.equal(refusal(object, 2 * MOST_BYTES, 2 * MOST_BYTES), undefined);
	assert.notEqual(refusal(object, 2 * MOST_BYTES + 1, 2 * MOST_BYTES), undefined);
});
