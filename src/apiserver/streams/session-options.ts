import type { IncomingMessage } from 'node:http';
import type { Duplex as Connection } from 'node:stream';
import type { ExchangeOptions } from '../http/exchange.ts';

/** A request to upgrade its connection. */
export interface UpgradeRequest {
	readonly request: IncomingMessage;
	/** The connection, which belongs to the receiver from now on. */
	readonly socket: Connection;
	/** The bytes that have been read after the request. */
	readonly head: Buffer;
}

/** What upgraded connections need from the listener. */
export type UpgradeOptions = Pick<ExchangeOptions, 'server' | 'clock' | 'slowClients' | 'onError'>;

/** What a session needs besides its connection. */
export interface SessionOptions extends UpgradeOptions {
	/** Aborts when the server stops. */
	readonly stopping: AbortSignal;
}
