import type { Column } from '../../contract/resource-definition.ts';
import { ageColumn, nameColumn, textColumn, wideColumn } from '../../meta/columns.ts';
import { labelSelectorText } from '../../meta/selector.ts';
import type { Service, ServicePort } from './schema.ts';

/** The columns of Services (upstream: `printService` in pkg/printers/internalversion/printers.go). */
export const serviceColumns: readonly Column<Service>[] = [
	nameColumn(),
	textColumn('Type', 'How the Service is exposed.', ({ spec }) => spec.type ?? ''),
	textColumn(
		'Cluster-IP',
		'Address of the Service inside of the cluster.',
		({ spec }) => spec.clusterIPs?.[0] ?? '<none>',
	),
	textColumn('External-IP', 'Addresses and names of the Service outside of the cluster.', externalAddress),
	textColumn(
		'Port(s)',
		'Ports of the Service, each with its node port.',
		({ spec }) => (spec.ports ?? []).map(portText).join(',') || '<none>',
	),
	ageColumn(),
	wideColumn('Selector', 'Labels of the Pods that receive the traffic.', ({ spec }) =>
		labelSelectorText({ matchLabels: spec.selector ?? {} }),
	),
];

function portText({ port, nodePort, protocol = 'TCP' }: ServicePort): string {
	return nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`;
}

function externalAddress({ spec, status }: Service): string {
	const { type, externalIPs = [], externalName = '' } = spec;
	switch (type) {
		case 'ClusterIP':
		case 'NodePort':
			return externalIPs.join(',') || '<none>';
		case 'LoadBalancer':
			return [...balancerAddresses(status), ...externalIPs].join(',') || '<pending>';
		case 'ExternalName':
			return externalName;
		default:
			return '<unknown>';
	}
}

function balancerAddresses({ loadBalancer }: Service['status']): readonly string[] {
	const addresses = (loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '');
	return [...new Set(addresses.filter((address) => address !== ''))].sort();
}
