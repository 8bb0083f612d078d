import { type Duplex, type DuplexClose, ENDED } from '../contract/duplex.ts';
import { Inbox } from './inbox.ts';

/**
 * How many bytes may wait to be received before `send` waits. A message that does not fit is accepted whole, so
 * that a message of any size passes.
 */
const WINDOW_BYTES = 64 * 1024;

/**
 * Returns the two connected ends of a session within one process: what one sends, the other receives. It keeps
 * the contract in api/contract/duplex.ts. `windowBytes` is the number of bytes that may wait in each direction.
 */
export function duplexPair(windowBytes: number = WINDOW_BYTES): readonly [Duplex, Duplex] {
	const closed = Promise.withResolvers<DuplexClose>();
	const inboxes = [new Inbox(windowBytes), new Inbox(windowBytes)] as const;
	const end = (own: Inbox, other: Inbox): Duplex => ({
		send: (message) => other.put(message),
		receive: () => own.take(),
		close: (reason = ENDED) => {
			own.discard();
			if (reason.type === 'ended') other.finish();
			else other.discard();
			closed.resolve(reason);
		},
		closed: closed.promise,
	});
	const [first, second] = inboxes;
	return [end(first, second), end(second, first)];
}
