import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { Connections } from './connections.ts';

let port = 0;

/** A connection that emits `close`, as a socket does. */
class FakeSocket extends EventEmitter {
	readonly remoteAddress: string | undefined;
	readonly remotePort: number | undefined;
	destroyed = false;

	constructor(peerPort: number | undefined) {
		super();
		this.remoteAddress = peerPort === undefined ? undefined : '127.0.0.1';
		this.remotePort = peerPort;
	}

	destroy(): void {
		this.destroyed = true;
		this.emit('close');
	}
}

/** Makes a socket with a peer of its own, unless its port is given; undefined: the client has reset it. */
function opened(connections: Connections, peer: { port: number | undefined } = { port: ++port }) {
	const socket = new FakeSocket(peer.port) as FakeSocket & Socket; // `as`: it has all members that are used.
	connections.add(socket);
	return socket;
}

function known(connections: Connections): FakeSocket & Socket {
	const socket = opened(connections);
	connections.markAuthenticated(socket);
	return socket;
}

test('the oldest connection without a token is closed when these are half of all', () => {
	const connections = new Connections(100);
	const withToken = known(connections);
	const first = opened(connections);
	for (let index = 0; index < 49; index++) opened(connections);
	assert.equal(first.destroyed, false);
	opened(connections);
	assert.equal(first.destroyed, true);
	assert.equal(withToken.destroyed, false);
	assert.equal(connections.size, 51);
});

test('a thousand connections may be open without a token, if there are file descriptors', () => {
	const connections = new Connections(100_000);
	const first = opened(connections);
	for (let index = 0; index < 1023; index++) opened(connections);
	assert.equal(first.destroyed, false);
	opened(connections);
	assert.equal(first.destroyed, true);
});

test('connections with a token are limited by file descriptors, and idle ones are closed first', () => {
	const connections = new Connections(10);
	const sockets = Array.from({ length: 10 }, () => known(connections));
	const done = sockets.map((socket) => connections.startRequest(socket));
	const refused = opened(connections);
	assert.equal(refused.destroyed, true);
	done[3]?.();
	const next = opened(connections);
	assert.equal(next.destroyed, false);
	assert.equal(sockets[3]?.destroyed, true);
	sockets[0]?.destroy();
	assert.equal(opened(connections).destroyed, false);
	assert.equal(connections.size, 10);
});

test('a closed connection makes room for another one', () => {
	const connections = new Connections(5);
	for (let index = 0; index < 200; index++) opened(connections).destroy();
	assert.equal(connections.size, 0);
	const last = Array.from({ length: 5 }, () => known(connections));
	assert.ok(last.every(({ destroyed }) => !destroyed));
});

test('connections that were reset before they were accepted do not count', () => {
	const connections = new Connections(10);
	for (let index = 0; index < 50; index++) {
		const pair = [0, 1].map(() => opened(connections, { port: undefined }));
		for (const socket of pair) socket.destroy();
	}
	assert.equal(connections.size, 0);
	const sockets = Array.from({ length: 5 }, () => opened(connections));
	assert.ok(sockets.every(({ destroyed }) => !destroyed));
});

test('closing a connection does not affect a later one of the same peer', () => {
	const connections = new Connections(4);
	for (let index = 0; index < 20; index++) {
		const [first, second] = [0, 1].map(() => opened(connections, { port: 0 }));
		first?.destroy();
		assert.equal(connections.size, 1);
		assert.equal(second?.destroyed, false);
		second?.destroy();
	}
	assert.equal(connections.size, 0);
	assert.equal(known(connections).destroyed, false);
});

test('connections to the Unix socket count as connections with a token, and are no others', () => {
	const connections = new Connections(10);
	const local = (): FakeSocket & Socket => {
		const socket = new FakeSocket(undefined) as FakeSocket & Socket; // `as`: it has all members that are used.
		connections.addLocal(socket);
		return socket;
	};
	const sockets = Array.from({ length: 8 }, local);
	assert.ok(sockets.every((socket) => connections.isLocal(socket) && !socket.destroyed));
	assert.equal(connections.isLocal(opened(connections)), false);
	const done = connections.startRequest(sockets[0] ?? assert.fail());
	for (let index = 0; index < 2; index++) local();
	assert.deepEqual(
		sockets.map(({ destroyed }) => destroyed),
		[false, true, ...Array(6).fill(false)],
	);
	assert.equal(connections.isLocal(sockets[1] ?? assert.fail()), false);
	done();
	local();
	assert.equal(sockets[0]?.destroyed, true);
	assert.equal(connections.size, 10);
});
