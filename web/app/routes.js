/**
 * A view: its path, as in OpenAPI; the element that shows it, and the module that defines the element.
 * `user` means that it is for users who are logged in, `admin` for admins.
 * @typedef {object} ViewRoute
 * @property {string} path
 * @property {string} element
 * @property {() => Promise<unknown>} load
 * @property {boolean} [user]
 * @property {boolean} [admin]
 */

/** @type {ViewRoute[]} */
export const routes = [
  { path: '/', element: 'search-view', load: () => import('./views/search.js') },
  { path: '/search', element: 'results-view', load: () => import('./views/results.js') },
  { path: '/trains/{id}', element: 'train-view', load: () => import('./views/train.js') },
  { path: '/holds', element: 'holds-view', load: () => import('./views/holds.js'), user: true },
  { path: '/bookings', element: 'bookings-view', load: () => import('./views/bookings.js'), user: true },
  { path: '/bookings/{id}', element: 'booking-view', load: () => import('./views/booking.js'), user: true },
  { path: '/account', element: 'account-view', load: () => import('./views/account.js'), user: true },
  { path: '/login', element: 'login-view', load: () => import('./views/login.js') },
  { path: '/register', element: 'register-view', load: () => import('./views/register.js') },
  { path: '/admin/trains', element: 'admin-trains-view', load: () => import('./admin/trains.js'), admin: true },
  { path: '/admin/trains/new', element: 'admin-train-view', load: () => import('./admin/train.js'), admin: true },
  { path: '/admin/trains/{id}', element: 'admin-train-view', load: () => import('./admin/train.js'), admin: true },
  { path: '/admin/schedules', element: 'admin-schedules-view', load: () => import('./admin/schedules.js'), admin: true },
  { path: '/admin/schedules/new', element: 'admin-schedule-view', load: () => import('./admin/schedule.js'), admin: true },
  { path: '/admin/schedules/{id}', element: 'admin-schedule-view', load: () => import('./admin/schedule.js'), admin: true },
  { path: '/admin/users', element: 'admin-users-view', load: () => import('./admin/users.js'), admin: true },
  { path: '/admin/users/{id}', element: 'admin-user-view', load: () => import('./admin/user.js'), admin: true },
];

/** @type {ViewRoute} */
export const missing = { path: '', element: 'missing-view', load: () => import('./views/missing.js') };

/**
 * Returns the view at a path and the values in its braces.
 * @param {string} path
 * @returns {{ view: ViewRoute, params: Record<string, string> } | undefined}
 */
export function match(path) {
  const parts = path.replace(/(?<=.)\/$/, '').split('/');
  for (const view of routes) {
    const wanted = view.path.split('/');
    if (wanted.length !== parts.length) continue;
    /** @type {Record<string, string>} */
    const params = {};
    const same = wanted.every((part, i) => {
      if (!part.startsWith('{')) return part === parts[i];
      params[part.slice(1, -1)] = parts[i] ?? '';
      return parts[i] !== '';
    });
    if (same) return { view, params };
  }
  return undefined;
}
