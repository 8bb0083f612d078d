/** The sockets by which this process reaches Pods, and listens where they reach it. */
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { connect, isIPv6, type Server, type Socket } from 'node:net';

/** Where a socket connects to, or listens. */
export interface SocketAddress {
	readonly host: string;
	readonly port: number;
}

/**
 * Opens sockets in the network to which an address belongs: that of this process, or another one where Pods are. All methods
 * reject with the system's error.
 */
export interface PodSockets {
	/** Connects; each direction ends by itself. An attempt that `signal` gives up leaves no connection. */
	connect(to: SocketAddress, signal?: AbortSignal): Promise<Socket>;
	/** Lets `server` listen. */
	listen(server: Server, at: SocketAddress): Promise<void>;
	/**
	 * Refuses TCP connections to an address and port until a socket of this process listens there, or the function is called that
	 * it returns. Absent: they are refused unless another program listens there.
	 */
	refuse?(at: SocketAddress): () => void;
	/** A bound socket for datagrams. */
	bind(at: SocketAddress): Promise<Datagrams>;
	/** A socket for datagrams to this host, with any port of its own. */
	datagramsTo(host: string): Promise<Datagrams>;
	/** Whether connections from this address, which is none of this machine, are those of Pods. */
	isPod(address: string): boolean;
}

/** The longest queue of connections that a server has not accepted yet. */
const BACKLOG = 4096;

/** The sockets of this process's own network. */
export const HOST_SOCKETS: PodSockets = {
	connect: ({ host, port }, signal) =>
		new Promise((resolve, reject) => {
			const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
			const giveUp = (): void => void socket.destroy(new Error('the attempt to connect was given up'));
			signal?.addEventListener('abort', giveUp, { once: true });
			const settle = (): void => {
				signal?.removeEventListener('abort', giveUp);
				socket.off('error', fail).off('connect', succeed);
			};
			const fail = (error: Error): void => {
				settle();
				reject(error);
			};
			const succeed = (): void => {
				settle();
				resolve(socket);
			};
			socket.on('error', fail).on('connect', succeed);
		}),
	listen: (server, { host, port }) =>
		new Promise((resolve, reject) => {
			server.once('error', reject);
			server.listen({ host, port, backlog: BACKLOG }, () => {
				server.off('error', reject);
				resolve();
			});
		}),
	bind: ({ host, port }) =>
		new Promise((resolve, reject) => {
			const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
			socket.once('error', reject);
			socket.bind({ address: host, port }, () => {
				socket.off('error', reject);
				resolve(socket);
			});
		}),
	datagramsTo: async () => createSocket('udp4'),
	isPod: () => false,
};
