/** Label with the IP family of an IPAddress: IPv4 or IPv6. */
export const IP_FAMILY_LABEL = 'ipaddress.kubernetes.io/ip-family';

/** Label with the name of the component that manages an IPAddress. */
export const IP_MANAGED_BY_LABEL = 'ipaddress.kubernetes.io/managed-by';

/** The manager of the IPAddresses of Services: the API server. */
export const IP_ALLOCATOR = 'ipallocator.k8s.io';
