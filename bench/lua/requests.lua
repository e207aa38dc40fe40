-- What the scripts share. wrk runs with this folder as its working directory, and calls request and
-- response in the state of its one thread, setup and done in another.
local ffi = require("ffi")
ffi.cdef [[
	struct bench_time { long seconds, microseconds; };
	int gettimeofday(struct bench_time *, void *);
	int getpid(void);
	int kill(int, int);
]]

local requests = {}
local time = ffi.new("struct bench_time")
local thread

-- now returns the time in seconds since 1970.
function requests.now()
	ffi.C.gettimeofday(time, nil)
	return tonumber(time.seconds) + tonumber(time.microseconds) * 1e-6
end

-- finish ends the run within 0.1 s, as an interrupt does. wrk.thread:stop() would end it too, but wrk
-- would go on counting the time.
function requests.finish() ffi.C.kill(ffi.C.getpid(), 2) end

-- arguments returns those of the form name=value, numbers as numbers.
function requests.arguments(args)
	local named = {}
	for _, arg in ipairs(args) do
		local name, value = arg:match("^(%w+)=(.*)$")
		named[name] = tonumber(value) or value
	end
	return named
end

function requests.lines(file)
	local all = {}
	for line in io.lines(file) do all[#all + 1] = line end
	return all
end

function requests.get(path)
	return "GET " .. path .. " HTTP/1.1\r\nHost: " .. wrk.headers.Host .. "\r\n\r\n"
end

-- post returns a function that makes requests of one path, for a user's token and a body. A request
-- with an id gets it back in X-Request-Id of the response.
function requests.post(path)
	local head = "POST " .. path .. " HTTP/1.1\r\nHost: " .. wrk.headers.Host ..
		"\r\nContent-Type: application/json\r\nAuthorization: Bearer "
	return function(token, body, id)
		id = id and "\r\nX-Request-Id: " .. id or ""
		return head .. token .. id .. "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
	end
end

function setup(t) thread = t end

-- done prints one line for package wrk. The variables of the script that are named in the list
-- `results` follow the figures of wrk.
function done(summary, latency)
	local function print_figure(name, value) io.write(" ", name, "=", string.format("%.6f", value)) end
	io.write("\nsummary")
	print_figure("requests", summary.requests)
	print_figure("bytes", summary.bytes)
	print_figure("microseconds", summary.duration)
	print_figure("p50", latency:percentile(50))
	print_figure("p99", latency:percentile(99))
	for _, kind in ipairs({"connect", "read", "write", "status", "timeout"}) do
		print_figure(kind, summary.errors[kind])
	end
	for _, name in ipairs(thread:get("results") or {}) do print_figure(name, thread:get(name)) end
	io.write("\n")
end

return requests
