import assert from 'node:assert/strict';
import test from 'node:test';
import { frameOf, messageOfFrame } from './channel-frames.ts';

test('a frame is the channel and its bytes, and is read back as the same message', () => {
	const message = { type: 'data', channel: 2, bytes: Uint8Array.of(7, 8) } as const;
	for (const protocol of ['v4.channel.k8s.io', 'v5.channel.k8s.io'] as const) {
		const frame = frameOf(message, protocol);
		assert.ok(frame instanceof Uint8Array);
		assert.deepEqual(frame, Uint8Array.of(2, 7, 8));
		assert.deepEqual(messageOfFrame(frame, protocol), message);
		assert.deepEqual(messageOfFrame(Uint8Array.of(0), protocol), {
			type: 'data',
			channel: 0,
			bytes: new Uint8Array(),
		});
	}
});

test('the end of a channel exists in version 5 only', () => {
	const end = { type: 'end', channel: 0 } as const;
	assert.deepEqual(frameOf(end, 'v5.channel.k8s.io'), Uint8Array.of(255, 0));
	assert.deepEqual(messageOfFrame(Uint8Array.of(255, 0), 'v5.channel.k8s.io'), end);
	assert.equal(frameOf(end, 'v4.channel.k8s.io'), undefined);
	assert.equal(messageOfFrame(Uint8Array.of(255, 0), 'v4.channel.k8s.io'), undefined);
});

test('empty and incomplete frames are ignored', () => {
	assert.equal(messageOfFrame(new Uint8Array(), 'v5.channel.k8s.io'), undefined);
	assert.equal(messageOfFrame(Uint8Array.of(255), 'v5.channel.k8s.io'), undefined);
});

test('with base64 a frame is a text, and what is no base64 is ignored', () => {
	const message = { type: 'data', channel: 1, bytes: Buffer.from('out') } as const;
	for (const protocol of ['base64.channel.k8s.io', 'v4.base64.channel.k8s.io'] as const) {
		const frame = frameOf(message, protocol);
		assert.equal(frame, '1b3V0');
		assert.deepEqual(messageOfFrame(Buffer.from('1b3V0'), protocol), {
			...message,
			bytes: new Uint8Array(message.bytes),
		});
		assert.equal(messageOfFrame(Buffer.from('1?'), protocol), undefined);
	}
});
