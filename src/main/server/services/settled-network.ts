import type { PodNetworkWish } from '../../../runtime/process/network/network-choice.ts';

/**
 * Replaces `auto` of an ordinary user by `pod` if Pods can have networks of their own, before the addresses of Services are chosen:
 * such Pods resolve names by the server alone, since no datagram leaves their network. Root's resolve them as the machine does.
 */
export async function withSettledNetwork<Options extends { readonly podNetwork?: PodNetworkWish }>(
	options: Options,
): Promise<Options> {
	if (options.podNetwork !== 'auto' || process.geteuid?.() === 0) return options;
	// Loaded only if the question is open.
	const { choosePodNetwork } = await import('../../../runtime/process/network/network-choice.ts');
	const { probeMachine } = await import('../../../runtime/process/shim/probe.ts');
	const { shimFile } = await import('../../../runtime/process/shim/shim-file.ts');
	const shim = shimFile();
	const { kind } = await choosePodNetwork('auto', { shim, machine: await probeMachine(shim) });
	// Otherwise the runtime tries again, and says why it cannot be.
	return kind === 'pod' ? { ...options, podNetwork: kind } : options;
}
