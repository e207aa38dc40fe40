-- Which seats a run asks for, and for whom. Each number from `first` on, in steps of `step`, stands
-- for a request of `count` neighbouring seats that no other number has.
--
-- The trains are sold in groups: `share` requests go round the trains of one group, then the next
-- group follows.
local requests = require("requests")

local seats = {}

-- new reads the arguments tokens, trains (files), first, step, count, group, share, total and wrap.
-- With wrap, the numbers begin again after the last one; only the limit sells seats twice.
function seats.new(a)
	local s = {
		tokens = requests.lines(a.tokens), trains = requests.lines(a.trains), a = a,
		number = a.first,
	}
	-- next returns a train's id, its first seat, a user and the group, all but the id from 1; and nil
	-- when all seats were asked for.
	function s.next()
		local n = s.number
		if n >= a.total then
			if a.wrap ~= 1 then return nil end
			n = n % a.total
		end
		s.number = s.number + a.step
		local group, inside = math.floor(n / a.share), n % a.share
		local train = group * a.group + inside % a.group
		local nth = math.floor(inside / a.group) -- of its train
		local seat = nth * a.count + 1
		-- On one train, every user has had a turn before one has a second.
		local user = (nth + train * 7) % #s.tokens + 1
		return s.trains[train + 1], seat, user, group + 1
	end
	return s
end

return seats
