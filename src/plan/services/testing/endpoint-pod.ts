import type { Node } from '../../../api/core/node/schema.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';

/** What tests set in a Pod of a Service. */
export interface PodParts {
	readonly ready?: boolean;
	readonly terminating?: boolean;
	readonly phase?: string;
	readonly ip?: string;
	readonly spec?: object;
	readonly labels?: Readonly<Record<string, string>>;
}

/** A running Pod in the namespace default with the label app=x and the address 127.0.0.1. */
export function endpointPod(name: string, parts: PodParts = {}): Pod {
	const { ready = true, terminating = false, phase = 'Running', ip = '127.0.0.1', spec, labels } = parts;
	const ports = [{ name: 'http', containerPort: 8080, protocol: 'TCP' }];
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: {
			name,
			namespace: 'default',
			uid: `uid-${name}`,
			labels: labels ?? { app: 'x' },
			creationTimestamp: '2026-01-31T08:00:00Z',
			...(terminating && { deletionTimestamp: '2026-01-31T09:00:00Z' }),
		},
		spec: { nodeName: 'here', containers: [{ name: 'c', image: 'i', ports }], ...spec },
		status: {
			phase,
			...(ip !== '' && { podIP: ip, podIPs: [{ ip }] }),
			conditions: [
				{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: '2026-01-31T08:00:05Z' },
			],
		},
	} as unknown as Pod; // `as`: the plans read no other field.
}

/** The Node `here` in the zone `z`; undefined for other names. */
export function nodeHere(name: string): Node | undefined {
	if (name !== 'here') return undefined;
	const metadata = { name, labels: { 'topology.kubernetes.io/zone': 'z' } };
	return { apiVersion: 'v1', kind: 'Node', metadata, spec: {}, status: {} };
}
