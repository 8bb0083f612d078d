import type { Clock } from '../../../base/clock.ts';
import { HOST_SOCKETS, type PodSockets } from '../../../runtime/pod-sockets.ts';

/** What {@link serviceSockets} needs. */
export interface ServiceSocketsOptions {
	/** Those by which this process reaches Pods. */
	readonly own: PodSockets;
	/** The addresses of the node, at which node ports listen. */
	readonly direct: readonly string[];
	readonly clock: Clock;
	onError(error: unknown): void;
}

/** The sockets at which Services are served until `stop` is called: root's take no port from the programs of the machine. */
export async function serviceSockets({
	own,
	...options
}: ServiceSocketsOptions): Promise<{ readonly sockets: PodSockets; stop(): void }> {
	const plain = { sockets: own, stop: () => {} };
	// In a network of their own there are no other programs.
	if (own !== HOST_SOCKETS || process.geteuid?.() !== 0) return plain;
	const { shimFile } = await import('../../../runtime/process/shim/shim-file.ts');
	const shim = shimFile();
	if (shim === undefined) return plain;
	const { ServicePorts } = await import('../../../runtime/process/network/ports/service-ports.ts');
	const sockets = new ServicePorts({ shim, ...options });
	return { sockets, stop: () => sockets.stop() };
}
