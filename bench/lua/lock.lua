-- Locks seats that nobody has asked for, each once. With `searches`, that many searches come before
-- each lock, on the route whose trains are being locked. Every reply must be a success; wrk counts.
local requests = require("requests")
local seats = require("seats")

results = {"used", "repeated"}
used, repeated = 0, 0 -- the next number; requests after the last number

local a, s, post, last
local paths, path, turn = {}, nil, 0

function init(args)
	a = requests.arguments(args)
	s = seats.new(a)
	used = s.number
	post = requests.post(a.count > 1 and "/v1/holds" or "/train/book-ticket/")
	if a.searches > 0 then
		for i, line in ipairs(requests.lines(a.paths)) do paths[i] = requests.get(line) end
		path = paths[1 + math.floor(math.min(s.number, a.total - 1) / a.share) % #paths]
	end
end

local begun = false

function request()
	if not begun then -- wrk does not send the first request: it only looks at it
		begun = true
		return requests.get("/readyz")
	end
	turn = turn + 1
	if turn % (a.searches + 1) ~= 0 then return path end
	local train, seat, user, group = s.next()
	if not train then
		requests.finish()
		repeated = repeated + 1
		return last or path or requests.get("/readyz")
	end
	used = s.number
	path = paths[1 + (group - 1) % math.max(#paths, 1)]
	local what = a.count > 1 and '"count":' .. a.count or '"seat_number":' .. seat
	last = post(s.tokens[user], '{"train_id":"' .. train .. '",' .. what .. "}")
	return last
end
