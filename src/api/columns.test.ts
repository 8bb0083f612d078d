import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources, viewResources } from './resources.ts';

/**
 * The columns of every kind, from upstream's pkg/printers/internalversion/printers.go: names, types and, after
 * the bar, those that only `-o wide` shows.
 */
const COLUMNS: Readonly<Record<string, string>> = {
	pods: 'Name/name Ready Status Restarts Age | IP Node Nominated_Node Readiness_Gates',
	jobs: 'Name/name Status Completions Duration Age | Containers Images Selector',
	cronjobs:
		'Name/name Schedule Timezone Suspend:boolean Active:integer Last_Schedule Age | Containers Images Selector',
	deployments: 'Name/name Ready Up-to-date Available Age | Containers Images Selector',
	replicasets: 'Name/name Desired:integer Current:integer Ready:integer Age | Containers Images Selector',
	replicationcontrollers:
		'Name/name Desired:integer Current:integer Ready:integer Age | Containers Images Selector',
	namespaces: 'Name/name Status Age |',
	priorityclasses: 'Name/name Value:integer Global-Default:boolean Age PreemptionPolicy |',
	nodes:
		'Name/name Status Roles Age Version | Internal-IP External-IP OS-Image Kernel-Version Container-Runtime',
	events: 'Last_Seen Type Reason Object Message | Subobject Source First_Seen Count Name/name',
	leases: 'Name/name Holder Age |',
	configmaps: 'Name/name Data Age |',
	secrets: 'Name/name Type Data Age |',
	serviceaccounts: 'Name/name Age |',
	runtimeclasses: 'Name/name Handler Age |',
	poddisruptionbudgets: 'Name/name Min_Available Max_Unavailable Allowed_Disruptions:integer Age |',
	persistentvolumes:
		'Name/name Capacity Access_Modes Reclaim_Policy Status Claim StorageClass VolumeAttributesClass Reason Age | VolumeMode',
	persistentvolumeclaims:
		'Name/name Status Volume Capacity Access_Modes StorageClass VolumeAttributesClass Age | VolumeMode',
	services: 'Name/name Type Cluster-IP External-IP Port(s) Age | Selector',
	endpoints: 'Name/name Endpoints Age |',
	endpointslices: 'Name/name AddressType Ports Endpoints Age |',
	ipaddresses: 'Name/name ParentRef |',
	servicecidrs: 'Name/name CIDRs Age |',
	storageclasses: 'Name/name Provisioner ReclaimPolicy VolumeBindingMode AllowVolumeExpansion Age |',
};

test("every kind has upstream's columns", () => {
	for (const { resource, columns } of [...resources, ...viewResources]) {
		const shown = (wide: 0 | 1): readonly string[] =>
			columns
				.filter(({ priority }) => priority === wide)
				.map(({ name, type, format }) => {
					const text = name.replaceAll(' ', '_') + (type === 'string' ? '' : `:${type}`);
					return format ? `${text}/${format}` : text;
				});
		assert.equal(
			[...shown(0), '|', ...shown(1)].join(' '),
			COLUMNS[resource] ?? 'no row in this test',
			resource,
		);
	}
});
