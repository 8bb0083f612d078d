import type { RuntimeName } from '../../cli/runtime-name.ts';
import type { PodNetworkWish } from '../../runtime/process/network/network-choice.ts';
import { DEFAULT_POD_RANGE, parseRange } from '../../runtime/process/network/pod-range.ts';

const MODES = ['auto', 'host', 'pod'] as const satisfies readonly PodNetworkWish[];

/** The runtimes that can give Pods networks of their own. */
const CAPABLE: ReadonlySet<RuntimeName> = new Set(['process', 'sandbox', 'auto']);

/**
 * The flags `--pod-network` and `--pod-cidr` as options of a server, or what is wrong with them. With a runtime that gives
 * Pods no networks, `auto` means `host`: otherwise Services get addresses that only Pods with networks of their own reach.
 */
export function podNetworkOf(
	{ podNetwork, podCidr }: { readonly podNetwork: string; readonly podCidr: string },
	runtime: RuntimeName,
): { readonly podNetwork: PodNetworkWish; readonly podRange: string } | { readonly problem: string } {
	const mode = MODES.find((each) => each === podNetwork);
	if (!mode) return { problem: `--pod-network: there is no mode "${podNetwork}"; use ${MODES.join(', ')}` };
	if (mode === 'pod' && !CAPABLE.has(runtime))
		return { problem: `--pod-network: the runtime ${runtime} gives Pods no networks of their own` };
	if (!parseRange(podCidr))
		return {
			problem: `--pod-cidr: must be a range of IPv4 addresses such as ${DEFAULT_POD_RANGE}, with a prefix of 8 to 29 bits, not "${podCidr}"`,
		};
	return { podNetwork: CAPABLE.has(runtime) ? mode : 'host', podRange: podCidr };
}
