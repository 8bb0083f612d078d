import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shareDescriptors } from './descriptor-shares.ts';

test('the shares of containers and logs stay within the limit', () => {
	for (const limit of [64, 256, 1024, 1_048_576]) {
		const { containers, logs } = shareDescriptors(limit);
		assert.ok(containers >= 1 && logs >= 1, `${limit}`);
		if (limit >= 256) assert.ok(2 * containers + logs + 50 <= limit, `${limit}`);
	}
	assert.equal(shareDescriptors(256).containers, 92);
	assert.equal(shareDescriptors(undefined).containers, Number.POSITIVE_INFINITY);
});
