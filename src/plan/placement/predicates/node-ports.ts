import { hostPortsOf } from '../cluster/host-ports.ts';
import { type Predicate, refusedForPods } from './predicate.ts';

const REFUSAL = refusedForPods("node(s) didn't have free ports for the requested pod ports");

/** The host ports that the Pod requests must be free on the node (upstream: nodeports). */
export const nodePorts: Predicate = {
	name: 'NodePorts',
	retryOn: ['node-added', 'pod-gone'],
	prepare: (pod) => {
		const wanted = hostPortsOf(pod);
		if (wanted.length === 0) return undefined;
		return {
			kind: 'check',
			refusal: ({ usage }) => (wanted.some((port) => usage.ports.conflictsWith(port)) ? REFUSAL : undefined),
		};
	},
};
