import type { Duplex } from '../../api/contract/duplex.ts';
import { duplexPair } from '../../api/streams/duplex-pair.ts';

/** The behaviour of an open port: serves one connection, whose bytes are on channel 0, until it closes it. */
export type FakePort = (connection: Duplex) => Promise<void>;

/** Connects to a port. `close` ends the connection, as the end of its sandbox does. */
export function openFakePort(port: FakePort): { readonly caller: Duplex; close(): void } {
	const [caller, own] = duplexPair();
	void port(own).finally(() => own.close());
	return { caller, close: () => own.close() };
}

/** A port that returns what it receives, until the end of that. */
export async function echoPort(connection: Duplex): Promise<void> {
	for (;;) {
		const message = await connection.receive();
		if (!message) return;
		await connection.send(message);
		if (message.type === 'end') return;
	}
}
