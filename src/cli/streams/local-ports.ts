/** Where a command accepts connections on this machine. */
export interface LocalAddress {
	/** An IP address. */
	readonly host: string;
	/** 0: any free port. */
	readonly port: number;
}

/** An open port of this machine. */
export interface LocalPort {
	readonly port: number;
	/** Accepts no more connections. */
	close(): void;
}

/** A port to forward: connections to `local` go to `remote` in the Pod. */
export interface ForwardedPort {
	/** 0: any free port. */
	readonly local: number;
	readonly remote: number;
}
