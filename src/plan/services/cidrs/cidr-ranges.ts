import {
	containsRange,
	type IpRange,
	offersAddress,
	parseIp,
	parseIpRange,
} from '../../../api/network/ip-address.ts';
import type { ServiceCidr } from '../../../api/networking/servicecidr/schema.ts';

/** The ranges of a ServiceCIDR. */
export function cidrRangesOf({ spec }: ServiceCidr): readonly IpRange[] {
	return (spec.cidrs ?? []).flatMap((text) => parseIpRange(text) ?? []);
}

/** Whether one of the ranges of the ServiceCIDR contains `range`. */
export function coversRange(cidr: ServiceCidr, range: IpRange): boolean {
	return cidrRangesOf(cidr).some((outer) => containsRange(outer, range));
}

/** Whether Services can have the address from the ServiceCIDR. */
export function offersClusterIp(cidr: ServiceCidr, text: string): boolean {
	const address = parseIp(text);
	return address !== undefined && cidrRangesOf(cidr).some((range) => offersAddress(range, address));
}
