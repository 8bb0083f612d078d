import { endpoints } from '../../../api/core/endpoints/definition.ts';
import { nodes } from '../../../api/core/node/definition.ts';
import { pods } from '../../../api/core/pod/definition.ts';
import { services } from '../../../api/core/service/definition.ts';
import { endpointSlices } from '../../../api/discovery/endpointslice/definition.ts';
import { ipAddresses } from '../../../api/networking/ipaddress/definition.ts';
import { serviceCidrs } from '../../../api/networking/servicecidr/definition.ts';
import type { Client } from '../../../client/client.ts';
import type { ControllerContext } from '../../../client/controller.ts';
import type { EventRecorder } from '../../../client/event-recorder.ts';
import type { Informers } from '../../../client/informers.ts';
import { EndpointSliceController } from '../../../controllers/endpoints/endpoint-slice-controller.ts';
import { EndpointSliceMirroringController } from '../../../controllers/endpoints/endpoint-slice-mirroring-controller.ts';
import { EndpointsController } from '../../../controllers/endpoints/endpoints-controller.ts';
import {
	ENDPOINT_POD_INDEXES,
	SERVICE_INDEXES,
	SLICE_INDEXES,
} from '../../../controllers/endpoints/service-pods.ts';
import {
	KubernetesServiceController,
	type KubernetesServiceOptions,
} from '../../../controllers/kubernetes-service/kubernetes-service-controller.ts';
import { IpAddressRepair } from '../../../controllers/service-cidr/ip-address-repair.ts';
import { ServiceCidrController } from '../../../controllers/service-cidr/service-cidr-controller.ts';
import { type AddressRange, DEFAULT_SERVICE_RANGE } from '../../../plan/services/allocation/ranges.ts';

type Common = ControllerContext & { readonly client: Client };

/** What the functions below construct controllers from; see control-plane.ts. */
interface ServiceParts {
	readonly informers: Informers;
	/** The common options of a component. */
	of(component: string): Common;
	/** An event recorder that sets `component` as the source of its Events. */
	recorderOf(component: string, common: Common): EventRecorder;
}

/** The controllers of the endpoints of Services, by their names as API clients. */
export function serviceControllers({ informers, of, recorderOf }: ServiceParts): {
	readonly 'endpoint-controller': EndpointsController;
	readonly 'endpointslice-controller': EndpointSliceController;
	readonly 'endpointslicemirroring-controller': EndpointSliceMirroringController;
} {
	const endpoint = of('endpoint-controller');
	const slice = of('endpointslice-controller');
	const mirroring = of('endpointslicemirroring-controller');
	const seen = {
		services: informers.of(services, SERVICE_INDEXES),
		pods: informers.of(pods, ENDPOINT_POD_INDEXES),
		endpoints: informers.of(endpoints),
		slices: informers.of(endpointSlices, SLICE_INDEXES),
		nodes: informers.of(nodes),
	};
	return {
		'endpoint-controller': new EndpointsController({
			...endpoint,
			...seen,
			recorder: recorderOf('endpoint-controller', endpoint),
		}),
		'endpointslice-controller': new EndpointSliceController({
			...slice,
			...seen,
			recorder: recorderOf('endpoint-slice-controller', slice),
		}),
		'endpointslicemirroring-controller': new EndpointSliceMirroringController({
			...mirroring,
			...seen,
			recorder: recorderOf('endpoint-slice-mirroring-controller', mirroring),
		}),
	};
}

/** The address of the Service `kubernetes`, and the listener that it leads to. */
export type ApiServerAddress = Pick<KubernetesServiceOptions, 'clusterIp' | 'listener'>;

/** The controller of the Service `kubernetes`; none if the API server has no listener. */
export function apiServerController(
	{ informers, of }: Pick<ServiceParts, 'informers' | 'of'>,
	address: ApiServerAddress | undefined,
): { readonly 'kubernetes-service-controller'?: KubernetesServiceController } {
	if (!address) return {};
	const controller = new KubernetesServiceController({
		...of('kubernetes-service-controller'),
		...address,
		services: informers.of(services),
		endpoints: informers.of(endpoints),
		slices: informers.of(endpointSlices),
	});
	return { 'kubernetes-service-controller': controller };
}

/** The range of the server, and the address in it of the API server. */
interface AddressOptions {
	readonly serviceRange?: AddressRange;
	readonly apiServer?: ApiServerAddress;
}

/** The controllers of the addresses of Services. Without an API server that has an address, no default range is created. */
export function addressControllers(
	{ informers, of, recorderOf }: ServiceParts,
	{ serviceRange: range = DEFAULT_SERVICE_RANGE, apiServer }: AddressOptions,
): {
	readonly 'service-cidr-controller': ServiceCidrController;
	readonly 'ipallocator-repair-controller': IpAddressRepair;
} {
	const cidr = of('service-cidr-controller');
	const repair = of('ipallocator-repair-controller');
	const seen = { cidrs: informers.of(serviceCidrs), addresses: informers.of(ipAddresses), range };
	return {
		'service-cidr-controller': new ServiceCidrController({
			...cidr,
			...seen,
			keepsDefault: apiServer !== undefined,
			recorder: recorderOf('kubernetes-service-cidr-controller', cidr),
		}),
		'ipallocator-repair-controller': new IpAddressRepair({
			...repair,
			...seen,
			services: informers.of(services),
			recorder: recorderOf('ipallocator-repair-controller', repair),
		}),
	};
}
