import type { Service } from '../../../api/core/service/schema.ts';
import {
	ENDPOINT_SLICE_CONTROLLER,
	SERVICE_NAME_LABEL,
	SLICE_MANAGER_LABEL,
} from '../../../api/discovery/endpointslice/labels.ts';
import type { EndpointSlice } from '../../../api/discovery/endpointslice/schema.ts';
import { asPrefix, dns1123Subdomain } from '../../../api/meta/names.ts';
import { semanticEqual } from '../../../api/schema/equality.ts';
import { HEADLESS_LABEL, hasOwnAddress } from '../endpoints/members.ts';

type Labels = Readonly<Record<string, string>>;

/** The labels of the slices of a Service: its own, and the three that controllers set. */
export function sliceLabels(service: Service): Labels {
	return {
		...withoutReserved(service.metadata.labels),
		...(!hasOwnAddress(service) && { [HEADLESS_LABEL]: '' }),
		[SERVICE_NAME_LABEL]: service.metadata.name ?? '',
		[SLICE_MANAGER_LABEL]: ENDPOINT_SLICE_CONTROLLER,
	};
}

/** Whether the slice has other labels than its Service, apart from those that controllers set. */
export function hasOtherLabels(slice: EndpointSlice, service: Service): boolean {
	return !semanticEqual(withoutReserved(slice.metadata.labels), withoutReserved(service.metadata.labels));
}

/** The prefix of the names of slices: with a hyphen if that fits. */
export function namePrefix(name: string): string {
	return asPrefix(dns1123Subdomain)(`${name}-`).length === 0 ? `${name}-` : name;
}

function withoutReserved(labels: Labels = {}): Labels {
	const {
		[SERVICE_NAME_LABEL]: _name,
		[SLICE_MANAGER_LABEL]: _manager,
		[HEADLESS_LABEL]: _headless,
		...others
	} = labels;
	return others;
}
