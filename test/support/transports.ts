import nodeTest, { type TestContext, type TestOptions } from 'node:test';
import type { ApiTransport } from '../../src/api/contract/transport.ts';
import type { ApiServer } from '../../src/apiserver/server.ts';
import { EncodedTransport } from './encoded-transport.ts';

/**
 * The transports over which components are tested. In the process, decoded objects share unchanged parts, and an
 * event arrives before the answer to its write. As bytes, each object is decoded anew, and an event may arrive
 * later: a component that relies on either passes only the first.
 */
export type TransportKind = 'direct' | 'encoded';

const KINDS: readonly TransportKind[] = ['direct', 'encoded'];

const kindOf = new WeakMap<TestContext, TransportKind>();

type Body = (t: TestContext) => Promise<void>;

/**
 * Declares a test once for each transport. {@link transportFor} makes the transport of the running one. A test that
 * asserts an order of the direct transport (the cache shows a write before its answer arrives) uses node:test.
 */
export function test(name: string, ...rest: readonly [Body] | readonly [TestOptions, Body]): void {
	const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
	for (const kind of KINDS) {
		nodeTest(kind === 'direct' ? name : `${name} (objects as bytes)`, options, (t) => {
			kindOf.set(t, kind);
			return body(t);
		});
	}
}

/** The transport for the components of this test; to the server itself for a test of one transport. */
export function transportFor(t: TestContext, server: ApiServer): ApiTransport {
	return transportOf(kindOf.get(t) ?? 'direct', server);
}

/** The transport of this kind to `server`. */
export function transportOf(kind: TransportKind, server: ApiServer): ApiTransport {
	return kind === 'direct' ? server : new EncodedTransport(server);
}
