import assert from 'node:assert/strict';
import { test } from 'node:test';
import { descriptorLimit } from './descriptor-limit.ts';

test('the limit is the soft limit of this process', { skip: process.platform !== 'linux' }, () => {
	assert.ok((descriptorLimit() ?? 0) > 0);
});
