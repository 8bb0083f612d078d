import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeImagesOf } from './node-images.ts';

test('the 50 largest images are listed, the largest first, each with up to five names', () => {
	const images = Array.from({ length: 60 }, (_, i) => ({ tags: [`a:${i}`], digests: [], sizeBytes: i }));
	const listed = nodeImagesOf(images);
	assert.equal(listed.length, 50);
	assert.deepEqual(listed[0], { names: ['a:59'], sizeBytes: 59 });
	assert.deepEqual(listed.at(-1), { names: ['a:10'], sizeBytes: 10 });
	const tags = ['f', 'e', 'd', 'c', 'b'].map((name) => `${name}:1`);
	assert.deepEqual(nodeImagesOf([{ tags, digests: ['z@sha256:1'], sizeBytes: 1 }]), [
		{ names: ['z@sha256:1', 'b:1', 'c:1', 'd:1', 'e:1'], sizeBytes: 1 },
	]);
});
